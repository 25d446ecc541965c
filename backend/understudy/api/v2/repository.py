"""Lists, loads and lets go of models for clients of the model repository extension, as Triton's."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import ValidationError

from understudy.access.actions import Action
from understudy.api.access.permission import require
from understudy.api.dependencies import Served
from understudy.api.paths import V2
from understudy.api.problems.problem_responses import describe_problems
from understudy.api.uploads.body_limit import limit_body
from understudy.api.uploads.json_route import MAX_JSON_BYTES, JsonRoute
from understudy.api.v1.deployment import REFUSALS
from understudy.container import Services
from understudy.errors import BodyTooLarge, Conflict, ModelIsActive, ModelNotFound, RequestInvalid
from understudy.schemas.inference.open_inference import IndexEntry, IndexRequest, LoadRequest

router = APIRouter(
    prefix=f"{V2}/repository", tags=["v2"], route_class=JsonRoute, responses=describe_problems(RequestInvalid)
)

INDEXED = 10_000

Name = Annotated[str, Path(description="`model_name` of a registered model", examples=["yamnet"])]


@router.post(
    "/index",
    summary="The registered models",
    responses=describe_problems(BodyTooLarge),
    dependencies=require(Action.VIEW),
)
async def list_models(services: Served, body: IndexRequest | None = None) -> list[IndexEntry]:
    """The newest 10,000; `GET /api/v1/models` pages through all of them."""
    return await build_index(services, ready=body is not None and body.ready)


async def build_index(services: Services, *, ready: bool) -> list[IndexEntry]:
    """Return the entries of the newest models; of these only the compiled ones where `ready` is true."""
    found = await services.model_resolver.list_newest(INDEXED, ready=ready)
    return [
        IndexEntry(
            name=model.model_name,
            version=model.version or "",
            state="READY" if model.is_ready else "UNAVAILABLE",
            reason="" if model.is_ready else model.compile_state,
        )
        for model in found
    ]


@router.post(
    "/models/{name:path}/load",
    summary="Load a model beside the live one",
    response_class=Response,
    responses=describe_problems(ModelNotFound, BodyTooLarge, Conflict, *REFUSALS),
    dependencies=require(Action.REHEARSE),
)
async def load_model(services: Served, name: Name, request: Request) -> None:
    """Compile the model if it is not compiled, load it and warm it up. The live model stays as it is."""
    refuse_load_parameters((await _read_load_request(request)).parameters)
    await services.model_resolver.choose(name, None)


def refuse_load_parameters(given: Mapping[str, object]) -> None:
    """Raises RequestInvalid for a load that brings a configuration or files."""
    if given:
        raise RequestInvalid(
            f"A model is loaded as it is registered, and the request gives {', '.join(sorted(given))}.",
            remedy="Register the file with its spec: POST /api/v1/models.",
        )


async def _read_load_request(request: Request) -> LoadRequest:
    """Return the body of a load. Triton's client sends JSON without a content type, which FastAPI does not read."""
    body = await Request(request.scope, limit_body(request.receive, MAX_JSON_BYTES, "Send less JSON.")).body()
    try:
        return LoadRequest.model_validate_json(body) if body else LoadRequest()
    except ValidationError as error:
        raise RequestInvalid(f"The body of a load is not as the protocol says: {error.errors()[0]['msg']}.") from error


@router.post(
    "/models/{name:path}/unload",
    summary="Let go of a model that is not live",
    response_class=Response,
    responses=describe_problems(ModelNotFound, ModelIsActive),
    dependencies=require(Action.REHEARSE),
)
async def unload_model(services: Served, name: Name) -> None:
    """Free its memory when its last request has ended. The next request for it loads it again."""
    await services.model_resolver.unload(name, None)
