"""Returns, logs and counts what clients say about their recordings: the sensor and the time."""

from dataclasses import replace
from functools import partial
from typing import BinaryIO

import structlog
from starlette.requests import Request

from understudy.access.caller import Caller
from understudy.api.uploads.kept_recording import keep_open
from understudy.container import Services
from understudy.schemas.inference.prediction import Prediction
from understudy.schemas.inference.recording import RecordingFields
from understudy.serving.prediction.prediction_result import PredictionResult

log = structlog.get_logger()


def remember_recording(request: Request, fields: RecordingFields) -> None:
    """Keep the fields with the request, so that the log names them where the recording is refused."""
    request.state.recording = fields


def list_log_fields(request: Request) -> dict[str, str]:
    """Return source and time of the request's recording for a line of the log; empty where it has none."""
    fields = getattr(request.state, "recording", None)
    return {} if fields is None else _format_fields(fields)


def add_notes(prediction: Prediction, fields: RecordingFields) -> Prediction:
    """Return the prediction with the source and the time of its recording."""
    if not _format_fields(fields):
        return prediction
    return prediction.model_copy(update={"source": fields.source, "recorded_at": fields.recorded_at})


def record_prediction(services: Services, prediction: Prediction, fields: RecordingFields) -> None:
    """Remember its events; log and count it if its recording has a source or a time: others would fill the log."""
    services.recent_statistics.record_events(prediction)
    if said := _format_fields(fields):
        services.counters.count_source(fields.source)
        log.info(
            "prediction",
            **said,
            label=prediction.label,
            score=round(prediction.score, 4),
            model_id=prediction.model.model_id,
            generation=prediction.generation,
        )


def log_prediction(services: Services, caller: Caller, prediction: Prediction, source: BinaryIO) -> None:
    """Hand the answer to the log of predictions, where there is one. Nobody may read `source` any more."""
    if services.prediction_log.is_enabled:
        services.prediction_log.record(prediction, partial(keep_open, source), caller.principal_id, caller.name)


def finish_prediction(
    services: Services, caller: Caller, result: PredictionResult, fields: RecordingFields, source: BinaryIO
) -> PredictionResult:
    """Log and count an answer, and return it with what the client says about its recording.

    Nobody may read `source` any more.
    """
    log_prediction(services, caller, result.prediction, source)
    result = replace(result, prediction=add_notes(result.prediction, fields))
    record_prediction(services, result.prediction, fields)
    return result


def record_batch(services: Services, fields: RecordingFields, predictions: int, problems: int) -> None:
    """Log and count a batch whose recordings have a source or a time."""
    if said := _format_fields(fields):
        services.counters.count_source(fields.source, predictions)
        log.info("batch of predictions", **said, predictions=predictions, problems=problems)


def _format_fields(fields: RecordingFields) -> dict[str, str]:
    said: dict[str, str] = {}
    if fields.source is not None:
        said["source"] = fields.source
    if fields.recorded_at is not None:
        said["recorded_at"] = fields.recorded_at.isoformat()
    return said
