"""Examples of models over HTTP."""

from typing import Any

from fastapi import APIRouter, Request, Response, status

from understudy.access.actions import Action
from understudy.api.access.permission import CurrentActor, require
from understudy.api.dependencies import ModelIdPath, Served
from understudy.api.openapi import COMPONENTS
from understudy.api.paths import MODELS
from understudy.api.problems.problem_responses import describe_problems
from understudy.api.uploads.examples_upload import (
    FORM_SCHEMA,
    FormRoute,
    receive_examples,
    receive_registration,
)
from understudy.api.v1.registry.models import FILE_REFUSALS, locate_model
from understudy.errors import BodyTooLarge, ExamplesInvalid, ModelNotFound, RequestInvalid, TooLarge
from understudy.schemas.registry.examples import ModelExamples
from understudy.schemas.registry.model_detail import ModelDetail

router = APIRouter(prefix=MODELS, tags=["examples"])

_PROBLEMS = describe_problems(ModelNotFound, TooLarge, BodyTooLarge, ExamplesInvalid, *FILE_REFUSALS, RequestInvalid)
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": FORM_SCHEMA},
            "application/json": {"schema": {"$ref": COMPONENTS.format(model="ExamplesIn")}},
        },
    }
}


@router.get(
    "/{model_id}/examples", summary="A model's examples", responses=_PROBLEMS, dependencies=require(Action.VIEW)
)
async def get_model_examples(services: Served, model_id: ModelIdPath) -> ModelExamples:
    """Return the examples, and the latest run of them through the compiled model, clip by clip."""
    return await services.examples.get(model_id)


@router.put(
    "/{model_id}/examples",
    summary="Set a model's examples",
    responses=_PROBLEMS,
    openapi_extra=_BODY,
    dependencies=require(Action.EDIT),
)
@router.post(
    "/{model_id}/examples",
    summary="Set a model's examples",
    responses=_PROBLEMS,
    openapi_extra=_BODY,
    dependencies=require(Action.EDIT),
)
async def set_model_examples(
    services: Served, actor: CurrentActor, model_id: ModelIdPath, request: Request
) -> ModelExamples:
    """Replace the examples of the model's file. They are run in the background, and by the next activation.

    A model that does not answer as its examples say cannot be activated. The live model stays live.
    """
    return await services.examples.replace(model_id, await receive_examples(request, services.settings), actor)


@router.delete(
    "/{model_id}/examples", summary="Remove a model's examples", responses=_PROBLEMS, dependencies=require(Action.EDIT)
)
async def remove_model_examples(services: Served, actor: CurrentActor, model_id: ModelIdPath) -> ModelExamples:
    """Remove the examples and their clips; without any, nothing changes."""
    return await services.examples.remove(model_id, actor)


# The JSON route of the same address describes both.
registration = APIRouter(prefix=MODELS, route_class=FormRoute)


@registration.post("", status_code=status.HTTP_201_CREATED, include_in_schema=False, dependencies=require(Action.EDIT))
async def register_model_with_examples(
    services: Served, actor: CurrentActor, request: Request, response: Response
) -> ModelDetail:
    """Register a file that is already there together with its examples."""
    received = await receive_registration(request, services.settings)
    model = await services.examples.register_with(received.model, received.examples, actor)
    locate_model(request, response, model.model_id)
    return model
