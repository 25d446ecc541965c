"""Annotated aliases for what routes receive: the use-cases, and ids from the path and the query."""

from typing import TYPE_CHECKING, Annotated, NotRequired, TypedDict, cast

from fastapi import Depends, Path, Query
from starlette.requests import HTTPConnection

from understudy.container import Services
from understudy.schemas.registry.model import ModelId

if TYPE_CHECKING:  # loads gRPC
    from understudy.api.v2_grpc.server import GrpcServer


class AppState(TypedDict):
    """State that the lifespan hands to every request."""

    services: Services
    grpc: "NotRequired[GrpcServer | None]"  # None where UNDERSTUDY_GRPC_PORT is not set


async def _get_services(connection: HTTPConnection) -> Services:  # async: FastAPI runs a plain function in a thread
    return cast("Services", connection.state.services)


Served = Annotated[Services, Depends(_get_services)]

ModelIdPath = Annotated[ModelId, Path(description="`model_id` of a registered model", examples=[1])]
RehearsedModelId = Annotated[ModelId | None, Query(description="Rehearse this model instead of the live one")]
