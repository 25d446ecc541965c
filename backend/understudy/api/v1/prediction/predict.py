"""Predicts a recording over HTTP."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from understudy.access.actions import Action
from understudy.api.access.permission import CurrentCaller, require, require_rehearsal, restrict_source
from understudy.api.dependencies import RehearsedModelId, Served
from understudy.api.disconnect_watch import DisconnectWatch
from understudy.api.problems.problem_responses import describe_problems
from understudy.api.recording_notes import finish_prediction, remember_recording
from understudy.api.uploads.audio_upload import receive_recording
from understudy.api.uploads.multipart import FIELD
from understudy.api.uploads.recording_fields import QueryFields
from understudy.api.v1.prediction.prediction_lines import LINES, accepts_lines, answer_in_lines
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

PATH = "/predict"

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
                    "properties": {
                        FIELD: {
                            "type": "string",
                            "format": "binary",
                            "description": "The recording; its part may have any other name",
                        },
                        "source": {"type": "string", "description": "As in the query"},
                        "recorded_at": {"type": "string", "format": "date-time", "description": "As in the query"},
                    },
                }
            },
            "audio/*": _AUDIO,
            "audio/x-raw": {
                "schema": {
                    "type": "string",
                    "format": "binary",
                    "description": "Interleaved samples, declared by the parameters of the content type, such as "
                    "audio/x-raw; format=s16le; rate=16000; channels=1, or by the query; audio/L16, audio/PCMU and "
                    "audio/PCMA as RFC 3551 says, and audio/basic",
                }
            },
            "application/json": {"schema": {"$ref": "#/components/schemas/AudioDocument"}},
        },
    }
}


@router.post(
    PATH,
    response_model=Prediction,
    summary="Predict a recording",
    responses={
        200: {"content": {LINES: {"schema": {"$ref": "#/components/schemas/PredictionLine"}}}},
        **describe_problems(
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
    },
    openapi_extra=_BODY,
    dependencies=require(Action.PREDICT),
)
async def predict(
    services: Served,
    request: Request,
    query: QueryFields,
    caller: CurrentCaller,
    model_id: RehearsedModelId = None,
) -> Response:
    """Return the scores of the clip and of each window, and the model that computed them.

    The body is a form with one file, the file itself, base64 text in JSON, or raw samples with a declared rate. With
    `Accept: application/x-ndjson` the answer comes line by line: the model, the windows of a long recording while the
    others are scored, and last the answer or a problem. One without such a last line was cut off.
    """
    require_rehearsal(caller, model_id)
    remember_recording(request, query)
    if accepts_lines(request):
        return await answer_in_lines(services, request, query, caller, model_id)
    async with receive_recording(request, services.settings.max_upload_bytes, query) as clip:
        fields = restrict_source(caller, clip.fields)
        remember_recording(request, fields)
        model, generation = await services.predictor.choose(model_id)
        async with DisconnectWatch(request.receive):
            result = await services.predictor.predict_with(clip.source, model, generation, strict=fields.strict)
        result = finish_prediction(services, caller, result, fields, clip.source)
    # Encoded here: FastAPI would validate and copy the prediction once more.
    if result.rest is None:
        return Response(result.prediction.model_dump_json(), media_type="application/json")
    return StreamingResponse(result.iter_json(), media_type="application/json")
