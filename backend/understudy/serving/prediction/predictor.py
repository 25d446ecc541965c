"""Predicts recordings with the live model or with a model named by its id."""

import time
from typing import BinaryIO

from understudy.engine.engine import Engine, Priority, ScoredClip
from understudy.errors import AudioUnusable, NoActiveModel
from understudy.inference.pipeline.analysis import Analysis
from understudy.inference.pipeline.window_reporter import OnWindows
from understudy.schemas.inference.finding import describe_damage, list_remedies
from understudy.schemas.inference.prediction import Prediction, Timing
from understudy.serving.activation.preparation import Preparation
from understudy.serving.prediction.prediction_result import AT_ONCE, PredictionResult
from understudy.serving.sync.live_model import LiveModelReference, LoadedModel
from understudy.serving.sync.reconciler import Reconciler
from understudy.serving.telemetry.recent_statistics import RecentStatistics
from understudy.serving.telemetry.traces import Traces


class Predictor:
    """Reads the live model reference once for each request and names that model on the answer."""

    def __init__(
        self,
        engine: Engine,
        live: LiveModelReference,
        reconciler: Reconciler,
        preparation: Preparation,
        recent_statistics: RecentStatistics,
        traces: Traces,
        *,
        strict: bool,
    ) -> None:
        """`strict` holds for requests that do not say themselves whether a damaged recording is refused."""
        self._engine = engine
        self._live = live
        self._reconciler = reconciler
        self._preparation = preparation
        self._recent_statistics = recent_statistics
        self._traces = traces
        self._strict = strict

    async def predict(self, source: BinaryIO, model_id: int | None = None, *, strict: bool | None = None) -> Prediction:
        """Return the complete prediction of `source`, a seekable file, which the caller closes.

        Raises NoActiveModel, ModelNotLoaded, the audio errors, NotForAudio and, for `model_id`, what preparing that
        model raises.
        """
        return await (await self.predict_with(source, *await self.choose(model_id), strict=strict)).complete()

    async def predict_with(
        self,
        source: BinaryIO,
        model: LoadedModel,
        generation: int | None,
        priority: Priority = Priority.PREDICTION,
        *,
        strict: bool | None = None,
        on_windows: OnWindows | None = None,
    ) -> PredictionResult:
        """Return the prediction of `source` by a model that `choose` returned.

        `on_windows` is that of `Engine.score_clip`. `strict` refuses a recording that is damaged or not scored as a
        whole with AudioUnusable; None means as the setting says.

        Raises the audio errors, NotForAudio, and CannotServe when the model fails.
        """
        started = time.perf_counter()
        scored = await self._engine.score_clip(model.engine_model, source, priority, on_windows=on_windows)
        if self._strict if strict is None else strict:
            _refuse_damage(scored.analysis)
        result = _build_result(scored, model, generation)
        self._traces.add_phases(model.identity, result.prediction.timing_ms)
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


def _refuse_damage(analysis: Analysis) -> None:
    """Raise AudioUnusable where a finding says that the recording is incomplete or in doubt."""
    if (damage := describe_damage(analysis.findings)) is not None:
        answer = "Or send strict=false (`--no-strict` on the command line) to get the scores of what can be decoded."
        raise AudioUnusable(damage, remedy=f"{list_remedies(analysis.findings)} {answer}")


def _build_result(scored: ScoredClip, model: LoadedModel, generation: int | None) -> PredictionResult:
    """Return the answer to a request, which names the model that was chosen for it."""
    analysis = scored.analysis
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
        findings=analysis.findings,
        timing_ms=Timing(
            queue=scored.queue,
            decode=scored.opening + analysis.timing.decode,
            features=analysis.timing.features,
            inference=analysis.timing.inference,
        ),
    )
    return PredictionResult(prediction, analysis if separate else None)
