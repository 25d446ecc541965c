"""Predicts many recordings over HTTP."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import ClassVar

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, StreamingResponse

from understudy.api.dependencies import RehearsedModelId, Served
from understudy.api.problem_responses import describe_problems
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
)
async def predict_batch(
    services: Served,
    request: Request,
    model_id: RehearsedModelId = None,
) -> StreamingResponse:
    """Answer one line of JSON for each recording, in the order of completion, all by one model.

    The body is read to its end first. A recording that is refused has its problem on its line.
    """
    clips = await receive_recordings(request, services.settings.max_upload_bytes)
    lines = await services.batch.predict(clips, model_id)
    return StreamingResponse(_write_lines(lines), media_type=_Line.media_type)


async def _write_lines(lines: AsyncGenerator[BatchLine]) -> AsyncGenerator[str]:
    async with aclosing(lines):
        async for line in lines:
            yield line.model_dump_json(exclude_unset=True) + "\n"
