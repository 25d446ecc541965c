"""Predicts a recording over HTTP."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from understudy.api.dependencies import RehearsedModelId, Served
from understudy.api.problem_responses import describe_problems
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
    summary="Predict a recording",
    responses=describe_problems(
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
    """Return the scores of the clip and of each window, and the model that computed them."""
    async with receive_recording(request, services.settings.max_upload_bytes) as clip:
        result = await services.predictor.predict_with(clip, *await services.predictor.choose(model_id))
    # Encoded here: FastAPI would validate and copy the prediction once more.
    if result.rest is None:
        return Response(result.prediction.model_dump_json(), media_type="application/json")
    return StreamingResponse(result.iter_json(), media_type="application/json")
