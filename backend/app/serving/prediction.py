"""Answer what is heard, by the live model or by one in rehearsal."""

import time
from typing import BinaryIO

from app.audio.decode import AudioLimits, open_clip
from app.errors import NoActiveModel
from app.inference.pipeline import Analysis, Pipeline
from app.schemas.prediction import Prediction, Timing
from app.serving.convergence import Convergence
from app.serving.heard import Heard
from app.serving.live import LoadedModel, Stage
from app.serving.pool import WorkerPool
from app.serving.preparation import Preparation
from app.serving.traffic import Traffic
from app.settings import Settings


class Predictor:
    """Takes the reference to a model once a request and names that model on the answer."""

    def __init__(
        self,
        settings: Settings,
        stage: Stage,
        convergence: Convergence,
        preparation: Preparation,
        pool: WorkerPool,
        traffic: Traffic,
    ) -> None:
        self._limits = AudioLimits(max_seconds=settings.max_audio_seconds)
        self._stage = stage
        self._convergence = convergence
        self._preparation = preparation
        self._pool = pool
        self._traffic = traffic

    async def predict(self, source: BinaryIO, model_id: int | None = None) -> Prediction:
        """Scores of the recording in `source`, a seekable file that belongs to the caller.

        Raises NoActiveModel, ModelNotLoaded, the audio errors, NotForAudio and, for `model_id`, what preparing that
        model raises.
        """
        return await (await self.hear(source, *await self.choose(model_id))).whole()

    async def hear(self, source: BinaryIO, model: LoadedModel, generation: int | None) -> Heard:
        """Scores of the recording by a model that `choose` gave; raises the audio errors and NotForAudio."""
        started = time.perf_counter()
        (analysis, opening), waited = await self._pool.infer(_analyse, model.pipeline, source, self._limits)
        timing = Timing(
            queue=waited,
            decode=opening + analysis.timing.decode,
            features=analysis.timing.features,
            inference=analysis.timing.inference,
        )
        self._traffic.answered((time.perf_counter() - started) * 1e3, timing)
        prediction = Prediction(
            label=analysis.label,
            score=analysis.score,
            scores=analysis.scores,
            windows=() if analysis.abridged else analysis.windows,
            events=analysis.events,
            audio=analysis.audio,
            model=model.identity,
            generation=generation,
            warnings=(*model.notes, *analysis.warnings),
            timing_ms=timing,
        )
        return Heard(prediction, analysis if analysis.abridged else None)

    async def choose(self, model_id: int | None) -> tuple[LoadedModel, int | None]:
        """The live model and its generation, or the model `model_id` in rehearsal, whose generation is None.

        Raises NoActiveModel, ModelNotLoaded with the reason where one should be live, and what preparing `model_id`
        raises.
        """
        live = self._stage.live
        if model_id is not None and (live is None or live.model.identity.model_id != model_id):
            return await self._preparation.rehearse(model_id), None
        if live is None:
            raise NoActiveModel("No model is active.") if self._convergence.in_sync else self._convergence.not_loaded()
        return live.model, live.generation


def _analyse(pipeline: Pipeline, source: BinaryIO, limits: AudioLimits) -> tuple[Analysis, float]:
    """The analysis, and the milliseconds that recognising and opening the recording took."""
    started = time.perf_counter()
    clip = open_clip(source, limits)
    opening = (time.perf_counter() - started) * 1e3
    return pipeline.analyse(clip), opening
