"""Predicts many recordings over HTTP."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import ClassVar

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, StreamingResponse

from understudy.access.actions import Action
from understudy.access.caller import Caller
from understudy.api.access.permission import CurrentCaller, require, require_rehearsal, restrict_source
from understudy.api.dependencies import RehearsedModelId, Served
from understudy.api.problems.problem_responses import describe_problems
from understudy.api.recording_notes import add_notes, log_prediction, record_batch, remember_recording
from understudy.api.uploads.multipart import FIELD, MAX_CLIPS, receive_form
from understudy.api.uploads.recording_fields import QueryFields
from understudy.container import Services
from understudy.errors import (
    BackboneMissing,
    BodyTooLarge,
    ModelNotFound,
    ModelNotLoaded,
    NoActiveModel,
    RequestInvalid,
)
from understudy.schemas.inference.batch import BatchLine
from understudy.schemas.inference.recording import RecordingFields
from understudy.serving.prediction.batch_predictor import NamedClip

router = APIRouter(tags=["predict"])

_FILES = {
    "type": "array",
    "items": {"type": "string", "format": "binary"},
    "maxItems": MAX_CLIPS,
    "description": "The recordings; their parts may have any other name",
}
_PROPERTIES = {
    FIELD: _FILES,
    "source": {"type": "string", "description": "As in the query"},
    "recorded_at": {"type": "string", "format": "date-time", "description": "As in the query"},
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "required": [FIELD], "properties": _PROPERTIES},
            }
        },
    }
}


class _Line(JSONResponse):
    """The response class that OpenAPI shows: one line of the stream."""

    media_type: ClassVar[str] = "application/x-ndjson"  # type: ignore[misc]  # Starlette declares an instance attribute


@router.post(
    "/predict/batch",
    response_model=BatchLine,
    response_class=_Line,
    summary="Predict many recordings",
    responses=describe_problems(
        NoActiveModel, ModelNotLoaded, ModelNotFound, BackboneMissing, BodyTooLarge, RequestInvalid
    ),
    openapi_extra=_BODY,
    dependencies=require(Action.PREDICT),
)
async def predict_batch(
    services: Served,
    request: Request,
    query: QueryFields,
    caller: CurrentCaller,
    model_id: RehearsedModelId = None,
) -> StreamingResponse:
    """Answer one line of JSON for each recording, in the order of completion, all by one model.

    Every file of the form is a recording. The body is read to its end first. A recording that is refused has its
    problem on its line. Source and time are those of all recordings.
    """
    require_rehearsal(caller, model_id)
    remember_recording(request, query)
    form = await receive_form(request, services.settings.max_upload_bytes, query)
    fields = restrict_source(caller, form.fields)
    remember_recording(request, fields)
    lines = await services.batch.predict(form.files, model_id, strict=fields.strict)
    return StreamingResponse(_write_lines(services, lines, fields, caller, form.files), media_type=_Line.media_type)


async def _write_lines(
    services: Services,
    lines: AsyncGenerator[BatchLine],
    fields: RecordingFields,
    caller: Caller,
    clips: Sequence[NamedClip],
) -> AsyncGenerator[str]:
    predictions = problems = 0
    try:
        async with aclosing(lines):
            async for line in lines:
                if line.prediction is None:
                    problems += 1
                else:
                    predictions += 1
                    prediction = add_notes(line.prediction, fields)
                    services.recent_statistics.record_events(prediction)
                    log_prediction(services, caller, prediction, clips[line.index].source)
                    line = line.model_copy(update={"prediction": prediction})
                yield line.model_dump_json(exclude_unset=True) + "\n"
    finally:
        record_batch(services, fields, predictions, problems)
