"""Runs the graph of a registered model, found by its name, on raw tensors."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from understudy.engine.engine import Engine
from understudy.schemas.inference.prediction import Timing
from understudy.serving.prediction.model_resolver import ModelResolver
from understudy.serving.sync.live_model import LoadedModel
from understudy.serving.telemetry.recent_statistics import RecentStatistics


@dataclass(frozen=True, slots=True)
class InferenceResult:
    """The outputs by name and the model that computed them; `generation` is None for a model that is not live."""

    outputs: dict[str, NDArray[Any]]
    model: LoadedModel
    generation: int | None


class TensorInference:
    """Finds the model once for each request, as `Predictor` does for recordings."""

    def __init__(self, models: ModelResolver, engine: Engine, recent_statistics: RecentStatistics) -> None:
        self._models = models
        self._engine = engine
        self._recent_statistics = recent_statistics

    async def infer(self, name: str, version: str | None, inputs: Mapping[str, NDArray[Any]]) -> InferenceResult:
        """Return the outputs of the model called `name`; `inputs` are arrays by the names of the graph's inputs.

        Raises ModelNotFound, what preparing a model that is not live raises, RequestInvalid for inputs that the graph
        does not take, and CannotServe when it fails.
        """
        started = time.perf_counter()
        model, generation = await self._models.choose(name, version)
        outputs, waited = await self._engine.infer(model.engine_model, inputs)
        spent = (time.perf_counter() - started) * 1e3
        self._recent_statistics.record_answer(
            spent, Timing(queue=waited, decode=0, features=0, inference=max(0, spent - waited))
        )
        return InferenceResult(outputs, model, generation)
