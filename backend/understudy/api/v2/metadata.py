"""Describes the server and its models for clients of the Open Inference Protocol."""

from contextlib import nullcontext
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Path

from understudy import __version__
from understudy.access.actions import Action
from understudy.api.access.permission import CurrentCaller, require
from understudy.api.dependencies import Served
from understudy.api.health import hide_reasons
from understudy.api.paths import V2
from understudy.api.problems.problem_responses import describe_problems
from understudy.api.uploads.json_route import JsonRoute
from understudy.api.v2.datatypes import NAMES
from understudy.container import Services
from understudy.errors import ModelNotFound, ReportNotFound, RequestInvalid, Unavailable
from understudy.schemas.compiler.report import TensorSignature
from understudy.schemas.compiler.runtime import Runtime
from understudy.schemas.inference.open_inference import (
    ModelMetadata,
    ModelReady,
    ServerLive,
    ServerMetadata,
    ServerReady,
    TensorMetadata,
)

router = APIRouter(prefix=V2, tags=["v2"], route_class=JsonRoute, responses=describe_problems(RequestInvalid))

EXTENSIONS = ("binary_tensor_data", "classification", "model_repository")
PLATFORMS = {Runtime.ONNX: "onnxruntime_onnx", Runtime.LITERT: "litert_tflite"}

Name = Annotated[str, Path(description="`model_name` of a registered model", examples=["yamnet"])]
Version = Annotated[str, Path(description="Its `version`, which the row must have", examples=["v1.0"])]


@router.get("", summary="The server", dependencies=require(Action.VIEW))
@router.get("/", include_in_schema=False, dependencies=require(Action.VIEW))  # as the protocol's document writes it
async def get_server() -> ServerMetadata:
    return ServerMetadata(name="understudy", version=__version__, extensions=EXTENSIONS)


@router.get("/health/live", summary="The process answers", dependencies=require(Action.CHECK_HEALTH))
async def check_live() -> ServerLive:
    return ServerLive()


@router.get(
    "/health/ready",
    summary="The desired model is loaded",
    responses=describe_problems(Unavailable),
    dependencies=require(Action.CHECK_HEALTH),
)
async def check_ready(services: Served, caller: CurrentCaller) -> ServerReady:
    with nullcontext() if caller.knows_reasons else hide_reasons():
        services.status_reporter.require_ready()
    return ServerReady()


# Routes are tried in order: `NAME/versions/ready` is the version `ready`, and no name ends with `/versions`.
@router.get(
    "/models/{name:path}/versions/{version:path}/ready",
    summary="A model's version can be served",
    responses=describe_problems(ModelNotFound, Unavailable),
    dependencies=require(Action.VIEW),
)
async def check_version_ready(services: Served, name: Name, version: Version) -> ModelReady:
    await services.model_resolver.require_ready(name, version)
    return ModelReady(name=name)


@router.get(
    "/models/{name:path}/versions/{version:path}",
    summary="A model's version",
    responses=describe_problems(ModelNotFound, ReportNotFound),
    dependencies=require(Action.VIEW),
)
async def get_version_metadata(services: Served, name: Name, version: Version) -> ModelMetadata:
    return await describe_model(services, name, version)


@router.get(
    "/models/{name:path}/ready",
    summary="A model can be served",
    responses=describe_problems(ModelNotFound, Unavailable),
    dependencies=require(Action.VIEW),
)
async def check_model_ready(services: Served, name: Name) -> ModelReady:
    """200 for a model that is live or compiled: it answers at once or as soon as it is loaded."""
    await services.model_resolver.require_ready(name, None)
    return ModelReady(name=name)


@router.get(
    "/models/{name:path}",
    summary="A model",
    responses=describe_problems(ModelNotFound, ReportNotFound),
    dependencies=require(Action.VIEW),
)
async def get_model_metadata(services: Served, name: Name) -> ModelMetadata:
    """Inputs and outputs of the graph; a dimension of -1 varies."""
    return await describe_model(services, name, None)


async def describe_model(services: Services, name: str, version: str | None) -> ModelMetadata:
    """Return the metadata of a model. Raises ModelNotFound, and ReportNotFound for one that is not compiled."""
    identity, report = await services.model_resolver.describe(name, version)
    return ModelMetadata(
        name=identity.model_name,
        versions=() if identity.version is None else (identity.version,),
        platform=PLATFORMS[report.runtime],
        inputs=tuple(map(_describe_tensor, report.inputs)),
        outputs=tuple(map(_describe_tensor, report.outputs)),
        parameters={"model_id": identity.model_id, "digest": identity.digest},
    )


def _describe_tensor(signature: TensorSignature) -> TensorMetadata:
    return TensorMetadata(
        name=signature.name,
        datatype=NAMES[np.dtype(signature.dtype)],
        shape=tuple(-1 if size is None else size for size in signature.shape),
    )
