"""Prediction of many recordings over HTTP."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import ClassVar

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, StreamingResponse

from understudy.api.dependencies import RehearsedModelId, Served
from understudy.api.problem_responses import problems
from understudy.api.uploads.audio_upload import FIELD
from understudy.api.uploads.multipart import MAX_CLIPS, receive_recordings
from understudy.errors import (
    BackboneMissing,
    BodyTooLarge,
    ModelNotFound,
    ModelNotLoaded,
    NoActiveModel,
    RequestInvalid,
)
from understudy.schemas.inference.batch import BatchLine

router = APIRouter(tags=["predict"])

_FILES = {"type": "array", "items": {"type": "string", "format": "binary"}, "maxItems": MAX_CLIPS}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "required": [FIELD], "properties": {FIELD: _FILES}},
            }
        },
    }
}


class _Line(JSONResponse):
    """What one line of the stream is, for OpenAPI."""

    media_type: ClassVar[str] = "application/x-ndjson"  # type: ignore[misc]  # Starlette declares an instance attribute


@router.post(
    "/predict/batch",
    response_model=BatchLine,
    response_class=_Line,
    summary="What is heard in many recordings",
    responses=problems(NoActiveModel, ModelNotLoaded, ModelNotFound, BackboneMissing, BodyTooLarge, RequestInvalid),
    openapi_extra=_BODY,
)
async def predict_batch(
    services: Served,
    request: Request,
    model_id: RehearsedModelId = None,
) -> StreamingResponse:
    """One JSON document a line and recording, in the order of completion, all by one model.

    The body is read to its end first. What is wrong with a recording stands on its line.
    """
    clips = await receive_recordings(request, services.settings.max_upload_bytes)
    lines = await services.batch.predict(clips, model_id)
    return StreamingResponse(_written(lines), media_type=_Line.media_type)


async def _written(lines: AsyncGenerator[BatchLine]) -> AsyncGenerator[str]:
    async with aclosing(lines):
        async for line in lines:
            yield line.model_dump_json(exclude_unset=True) + "\n"
