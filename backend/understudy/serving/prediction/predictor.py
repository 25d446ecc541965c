"""Predicts recordings with the live model or with a model named by its id."""

import time
from typing import BinaryIO

from understudy.audio.opening import AudioLimits, open_clip
from understudy.engine.scheduling.scheduler import Scheduler
from understudy.errors import NoActiveModel
from understudy.inference.pipeline.pipeline import Steps
from understudy.schemas.inference.prediction import Prediction, Timing
from understudy.serving.activation.preparation import Preparation
from understudy.serving.prediction.prediction_result import AT_ONCE, PredictionResult
from understudy.serving.sync.live_model import LiveModelReference, LoadedModel
from understudy.serving.sync.reconciler import Reconciler
from understudy.serving.telemetry.recent_statistics import RecentStatistics
from understudy.settings import Settings


class Predictor:
    """Reads the live model reference once for each request and names that model on the answer."""

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
        """Return the complete prediction of `source`, a seekable file, which the caller closes.

        Raises NoActiveModel, ModelNotLoaded, the audio errors, NotForAudio and, for `model_id`, what preparing that
        model raises.
        """
        return await (await self.predict_with(source, *await self.choose(model_id))).complete()

    async def predict_with(self, source: BinaryIO, model: LoadedModel, generation: int | None) -> PredictionResult:
        """Return the prediction of `source` by a model that `choose` returned.

        Raises the audio errors, NotForAudio, and CannotServe when the model fails.
        """
        started = time.perf_counter()
        steps = _predict_stepwise(source, self._limits, model, generation, started)
        result = await self._scheduler.run_clip(model.pipeline, steps)
        self._recent_statistics.record_answer((time.perf_counter() - started) * 1e3, result.prediction.timing_ms)
        return result

    async def choose(self, model_id: int | None) -> tuple[LoadedModel, int | None]:
        """Return the live model and its generation, or the model `model_id`, and None where that is not live.

        Raises NoActiveModel, ModelNotLoaded with the reason where one should be live, and what preparing `model_id`
        raises.
        """
        live = self._live.current
        if model_id is not None and (live is None or live.model.identity.model_id != model_id):
            return await self._preparation.prepare(model_id), None
        if live is None:
            raise (
                NoActiveModel("No model is active.")
                if self._reconciler.in_sync
                else self._reconciler.build_not_loaded()
            )
        return live.model, live.generation


def _predict_stepwise(
    source: BinaryIO, limits: AudioLimits, model: LoadedModel, generation: int | None, queued: float
) -> Steps[PredictionResult]:
    """Decode and score the recording on a worker thread; the scheduler scores the windows that it yields.

    `queued` is the time, on the clock of `time.perf_counter`, since which the request waits for a worker thread.
    """
    begun = time.perf_counter()
    clip = open_clip(source, limits)
    opening = time.perf_counter() - begun
    analysis = yield from model.pipeline.analyze_stepwise(clip)
    separate = analysis.window_scores.size > AT_ONCE
    prediction = Prediction(
        label=analysis.label,
        score=analysis.score,
        scores=analysis.scores,
        windows=() if separate else analysis.windows,
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
    return PredictionResult(prediction, analysis if separate else None)
