"""Answer what is heard, by the live model or by one in rehearsal."""

import time
from typing import BinaryIO

from understudy.audio.opening import AudioLimits, open_clip
from understudy.errors import NoActiveModel
from understudy.inference.pipeline.pipeline import Steps
from understudy.schemas.inference.prediction import Prediction, Timing
from understudy.serving.activation.preparation import Preparation
from understudy.serving.prediction.prediction_result import AT_ONCE, PredictionResult
from understudy.serving.scheduling.scheduler import Scheduler
from understudy.serving.sync.live_model import LiveModelReference, LoadedModel
from understudy.serving.sync.reconciler import Reconciler
from understudy.serving.telemetry.recent_statistics import RecentStatistics
from understudy.settings import Settings


class Predictor:
    """Takes the reference to a model once a request and names that model on the answer."""

    def __init__(
        self,
        settings: Settings,
        live: LiveModelReference,
        reconciler: Reconciler,
        preparation: Preparation,
        scheduler: Scheduler,
        recent_statistics: RecentStatistics,
    ) -> None:
        self._limits = AudioLimits(max_seconds=settings.max_audio_seconds)
        self._live = live
        self._reconciler = reconciler
        self._preparation = preparation
        self._scheduler = scheduler
        self._recent_statistics = recent_statistics

    async def predict(self, source: BinaryIO, model_id: int | None = None) -> Prediction:
        """Scores of the recording in `source`, a seekable file that belongs to the caller.

        Raises NoActiveModel, ModelNotLoaded, the audio errors, NotForAudio and, for `model_id`, what preparing that
        model raises.
        """
        return await (await self.hear(source, *await self.choose(model_id))).whole()

    async def hear(self, source: BinaryIO, model: LoadedModel, generation: int | None) -> PredictionResult:
        """Scores of the recording by a model that `choose` gave; raises the audio errors and NotForAudio."""
        started = time.perf_counter()
        heard = await self._scheduler.run_clip(model.pipeline, _hear(source, self._limits, model, generation, started))
        self._recent_statistics.answered((time.perf_counter() - started) * 1e3, heard.prediction.timing_ms)
        return heard

    async def choose(self, model_id: int | None) -> tuple[LoadedModel, int | None]:
        """The live model and its generation, or the model `model_id` in rehearsal, whose generation is None.

        Raises NoActiveModel, ModelNotLoaded with the reason where one should be live, and what preparing `model_id`
        raises.
        """
        live = self._live.current
        if model_id is not None and (live is None or live.model.identity.model_id != model_id):
            return await self._preparation.prepare(model_id), None
        if live is None:
            raise NoActiveModel("No model is active.") if self._reconciler.in_sync else self._reconciler.not_loaded()
        return live.model, live.generation


def _hear(
    source: BinaryIO, limits: AudioLimits, model: LoadedModel, generation: int | None, queued: float
) -> Steps[PredictionResult]:
    """From the recording to the answer on a worker thread, step by step; `queued` since when it waits for one."""
    begun = time.perf_counter()
    clip = open_clip(source, limits)
    opening = time.perf_counter() - begun
    analysis = yield from model.pipeline.analyze_stepwise(clip)
    apart = analysis.window_scores.size > AT_ONCE
    prediction = Prediction(
        label=analysis.label,
        score=analysis.score,
        scores=analysis.scores,
        windows=() if apart else analysis.windows,
        events=analysis.events,
        audio=analysis.audio,
        model=model.identity,
        generation=generation,
        warnings=(*model.notes, *analysis.warnings),
        timing_ms=Timing(
            queue=(begun - queued) * 1e3,
            decode=opening * 1e3 + analysis.timing.decode,
            features=analysis.timing.features,
            inference=analysis.timing.inference,
        ),
    )
    return PredictionResult(prediction, analysis if apart else None)
