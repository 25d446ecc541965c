"""Raw tensors through any registered model, by its name."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from understudy.schemas.inference.prediction import Timing
from understudy.serving.prediction.model_resolver import ModelResolver
from understudy.serving.scheduling.batcher import Batcher
from understudy.serving.sync.live_model import LoadedModel
from understudy.serving.telemetry.recent_statistics import RecentStatistics


@dataclass(frozen=True, slots=True)
class InferenceResult:
    """The graph's outputs by name, and whose they are; `generation` is None for a model that is not live."""

    outputs: dict[str, NDArray[Any]]
    model: LoadedModel
    generation: int | None


class TensorInference:
    """Takes the reference to a model once a request, as `Predictor` does for recordings."""

    def __init__(self, models: ModelResolver, batcher: Batcher, recent_statistics: RecentStatistics) -> None:
        self._models = models
        self._batcher = batcher
        self._recent_statistics = recent_statistics

    async def infer(self, name: str, version: str | None, inputs: Mapping[str, NDArray[Any]]) -> InferenceResult:
        """Run the graph of the model called `name`.

        Raises ModelNotFound, what preparing a model that is not live raises, RequestInvalid for inputs that the graph
        does not take, and CannotServe when it fails.
        """
        started = time.perf_counter()
        model, generation = await self._models.choose(name, version)
        outputs, waited = await self._batcher.infer(model.pipeline.graph, inputs)
        spent = (time.perf_counter() - started) * 1e3
        self._recent_statistics.answered(
            spent, Timing(queue=waited, decode=0, features=0, inference=max(0, spent - waited))
        )
        return InferenceResult(outputs, model, generation)
