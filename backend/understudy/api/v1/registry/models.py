"""The registry over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response, status

from understudy.access.actions import Action
from understudy.api.access.permission import CurrentActor, require
from understudy.api.dependencies import ModelIdPath, Served
from understudy.api.paths import MODELS, V1, add_mount
from understudy.api.problems.problem_responses import describe_problems
from understudy.api.uploads.examples_upload import FORM_SCHEMA, MODEL_FIELD
from understudy.api.uploads.json_route import JsonRoute
from understudy.errors import (
    ActiveModelNotFound,
    BodyTooLarge,
    ExamplesInvalid,
    FileChanged,
    FileMissing,
    FormatUnknown,
    ModelIsActive,
    ModelNotFound,
    NameRefused,
    NameTaken,
    PathRefused,
    ReportNotFound,
    RequestInvalid,
    SpecInvalid,
    TooLarge,
)
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.registry.deletion import ModelDeleted
from understudy.schemas.registry.model import (
    HistoryPage,
    ModelCreate,
    ModelList,
    ModelTypes,
    ModelUpdate,
)
from understudy.schemas.registry.model_detail import ModelDetail
from understudy.schemas.registry.model_query import ModelQuery

router = APIRouter(prefix=MODELS, tags=["models"], route_class=JsonRoute)
FILE_REFUSALS = (FileChanged, TooLarge, PathRefused, FileMissing, FormatUnknown, SpecInvalid)
UPDATE_REFUSALS = (NameTaken, NameRefused, ModelIsActive, *FILE_REFUSALS)
_MODEL_SCHEMA = {"type": "string", "contentMediaType": "application/json", "description": "A ModelCreate document"}
_FORM: dict[str, Any] = {
    "requestBody": {
        "content": {
            "multipart/form-data": {
                "schema": FORM_SCHEMA
                | {
                    "required": [MODEL_FIELD, "examples", "clips"],
                    "properties": {MODEL_FIELD: _MODEL_SCHEMA, **FORM_SCHEMA["properties"]},
                }
            }
        }
    }
}


@router.get(
    "", summary="List all models", responses=describe_problems(RequestInvalid), dependencies=require(Action.VIEW)
)
async def list_models(services: Served, query: Annotated[ModelQuery, Query()]) -> ModelList:
    """All models, with the active one highlighted, a page at a time."""
    return await services.registry.list(query)


@router.post(
    "",
    summary="Register a model",
    status_code=status.HTTP_201_CREATED,
    responses=describe_problems(NameTaken, NameRefused, *FILE_REFUSALS, ExamplesInvalid, BodyTooLarge, RequestInvalid),
    openapi_extra=_FORM,
    dependencies=require(Action.EDIT),
)
async def register_model(
    services: Served, actor: CurrentActor, body: ModelCreate, request: Request, response: Response
) -> ModelDetail:
    """Register a file that is already there. It is compiled in the background, so that activating it is instant.

    A form registers the model together with its examples: the same JSON in the field `model`, and the files. Without
    them, those are taken that `understudy train` wrote beside the file.
    """
    model = await services.examples.register(body, actor)
    services.compile_queue.add(model.model_id)
    locate_model(request, response, model.model_id)
    return model


def locate_model(request: Request, response: Response, model_id: int) -> None:
    """Name the address of a new model in the answer's header."""
    response.headers["Location"] = add_mount(request.scope, f"{V1}{MODELS}/{model_id}")


@router.get("/types", summary="The types of all models", dependencies=require(Action.VIEW))
async def list_model_types(services: Served) -> ModelTypes:
    """The words that `type` filters by, sorted; at most 500."""
    return ModelTypes(types=await services.registry.list_types())


@router.get(
    "/active",
    summary="Get the active model",
    responses=describe_problems(ActiveModelNotFound),
    dependencies=require(Action.VIEW),
)
async def get_active_model(services: Served) -> ModelDetail:
    """Return the active model of the database; `/api/v1/status` says which model this process has loaded."""
    return await services.registry.get_active()


@router.get(
    "/{model_id}",
    summary="Get a model",
    responses=describe_problems(ModelNotFound, RequestInvalid),
    dependencies=require(Action.VIEW),
)
async def get_model(services: Served, model_id: ModelIdPath) -> ModelDetail:
    return await services.registry.get(model_id)


@router.put(
    "/{model_id}",
    summary="Update a model's metadata",
    responses=describe_problems(ModelNotFound, *UPDATE_REFUSALS, BodyTooLarge, RequestInvalid),
    dependencies=require(Action.EDIT),
)
@router.patch(
    "/{model_id}",
    summary="Update a model's metadata",
    responses=describe_problems(ModelNotFound, *UPDATE_REFUSALS, BodyTooLarge, RequestInvalid),
    dependencies=require(Action.EDIT),
)
async def update_model(services: Served, actor: CurrentActor, model_id: ModelIdPath, body: ModelUpdate) -> ModelDetail:
    """Change the fields that are present. The active model keeps its file, and its spec until it is activated again.

    A changed spec is compiled in the background.
    """
    return await services.model_changes.update(model_id, body, actor)


@router.delete(
    "/{model_id}",
    summary="Delete a model's record",
    responses=describe_problems(ModelNotFound, ModelIsActive, RequestInvalid),
    dependencies=require(Action.EDIT),
)
async def delete_model(services: Served, actor: CurrentActor, model_id: ModelIdPath) -> ModelDeleted:
    """Delete the database record; the model file stays where it is."""
    return await services.registry.delete(model_id, actor)


@router.get(
    "/{model_id}/history",
    summary="A model's history",
    responses=describe_problems(ModelNotFound, RequestInvalid),
    dependencies=require(Action.VIEW),
)
async def get_model_history(
    services: Served, model_id: ModelIdPath, limit: Annotated[int, Query(ge=1, le=500)] = 100, cursor: str | None = None
) -> HistoryPage:
    """Return the events of this model, latest first; they are kept after its record is deleted."""
    return await services.registry.list_history(model_id=model_id, limit=limit, cursor=cursor)


@router.get(
    "/{model_id}/report",
    summary="A model's compile report",
    responses=describe_problems(ModelNotFound, ReportNotFound, RequestInvalid),
    dependencies=require(Action.VIEW),
)
async def get_model_report(services: Served, model_id: ModelIdPath) -> CompileReport:
    """Return how the file was loaded and converted, and how far the compiled model agrees with the original."""
    return await services.compilation.report(model_id)


@router.post(
    "/{model_id}/compile",
    summary="Compile a model again",
    status_code=status.HTTP_202_ACCEPTED,
    responses=describe_problems(ModelNotFound, FileChanged, FileMissing, RequestInvalid),
    dependencies=require(Action.EDIT),
)
async def compile_model(services: Served, model_id: ModelIdPath) -> ModelDetail:
    """Forget that the model was refused, and compile it in the background; `compile_state` shows the outcome.

    A model that is compiled already is not compiled again.
    """
    await services.model_changes.compile_again(model_id)
    return await services.registry.get(model_id)
