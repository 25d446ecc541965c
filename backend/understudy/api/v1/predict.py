"""Prediction over HTTP."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from understudy.api.dependencies import RehearsedModelId, Served
from understudy.api.problem_responses import problems
from understudy.api.uploads.audio_upload import FIELD, receive_recording
from understudy.errors import (
    AudioTooLong,
    AudioUnusable,
    BackboneMissing,
    BodyTooLarge,
    ModelNotFound,
    ModelNotLoaded,
    NoActiveModel,
    NotAudio,
    NotForAudio,
    RequestInvalid,
)
from understudy.schemas.inference.prediction import Prediction

router = APIRouter(tags=["predict"])

_AUDIO = {"schema": {"type": "string", "format": "binary"}}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "properties": {FIELD: {"type": "string", "format": "binary", "description": "The recording"}},
                }
            },
            "audio/*": _AUDIO,
        },
    }
}


@router.post(
    "/predict",
    response_model=Prediction,
    summary="What is heard in a recording",
    responses=problems(
        NoActiveModel,
        ModelNotLoaded,
        ModelNotFound,
        BackboneMissing,
        NotAudio,
        AudioUnusable,
        AudioTooLong,
        BodyTooLarge,
        NotForAudio,
        RequestInvalid,
    ),
    openapi_extra=_BODY,
)
async def predict(
    services: Served,
    request: Request,
    model_id: RehearsedModelId = None,
) -> Response:
    """Scores of the whole clip, window by window, and the model that gave them."""
    async with receive_recording(request, services.settings.max_upload_bytes) as clip:
        heard = await services.predictor.hear(clip, *await services.predictor.choose(model_id))
    # FastAPI would validate what was just validated, and copy it, before it encodes it.
    if heard.rest is None:
        return Response(heard.prediction.model_dump_json(), media_type="application/json")
    return StreamingResponse(heard.json(), media_type="application/json")
