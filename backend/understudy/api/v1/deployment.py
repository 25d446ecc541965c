"""Activates models, rolls back and reports on both over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Response, status

from understudy.access.actions import Action
from understudy.api.dependencies import ModelIdPath, Served
from understudy.api.paths import MODELS
from understudy.api.permission import CurrentActor, require
from understudy.api.problem_responses import describe_problems
from understudy.errors import (
    BackboneMissing,
    CompileFailed,
    ExamplesMissed,
    FileChanged,
    FileMissing,
    FormatUnknown,
    ModelNotFound,
    ModelUnsafe,
    NothingToRollBack,
    OperationNotFound,
    ParityFailed,
    ReportNotFound,
    TakesTensors,
    WarmUpFailed,
)
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.server.operation import Operation, RollbackTarget

router = APIRouter(prefix=MODELS, tags=["deployment"])
operations = APIRouter(prefix="/operations", tags=["deployment"])

Wait = Annotated[bool, Query(description="false answers 202 at once with an operation to poll")]
InPrecision = Annotated[Precision, Query(description="int8 needs an int8 variant that passed its gate")]
TensorsOnly = Annotated[bool, Query(description="true permits a model that takes tensors and cannot score recordings")]
Reason = Annotated[str | None, Query(max_length=500, description="Why; it stands in the history")]
REFUSALS = (
    FileMissing,
    FileChanged,
    FormatUnknown,
    ModelUnsafe,
    CompileFailed,
    ParityFailed,
    WarmUpFailed,
    ExamplesMissed,
    BackboneMissing,
)


@router.post(
    "/{model_id}/activate",
    summary="Activate a model",
    responses={
        202: {"model": Operation, "description": "Under way"},
        **describe_problems(ModelNotFound, ReportNotFound, TakesTensors, *REFUSALS),
    },
    dependencies=require(Action.ACTIVATE),
)
async def activate_model(
    services: Served,
    actor: CurrentActor,
    model_id: ModelIdPath,
    response: Response,
    wait: Wait = True,
    precision: InPrecision = Precision.FLOAT32,
    tensors_only: TensorsOnly = False,
    reason: Reason = None,
) -> Operation:
    """Verify, compile, warm up, commit and swap. If any step fails, the model that is live stays live."""
    operation = await services.operations.activate(
        model_id, actor, wait=wait, precision=precision, tensors_only=tensors_only, reason=reason
    )
    if not wait:
        response.status_code = status.HTTP_202_ACCEPTED
    return operation


@router.get(
    "/rollback",
    summary="The model that a rollback goes back to",
    responses=describe_problems(NothingToRollBack),
    dependencies=require(Action.VIEW),
)
async def get_rollback_target(services: Served) -> RollbackTarget:
    """Return the registered model that was live before this one, and its variant; nothing changes."""
    return await services.operations.find_rollback_target()


@router.post(
    "/rollback",
    summary="Go back to the model that was live before",
    responses={
        202: {"model": Operation, "description": "Under way"},
        **describe_problems(NothingToRollBack, *REFUSALS),
    },
    dependencies=require(Action.ACTIVATE),
)
async def roll_back(
    services: Served, actor: CurrentActor, response: Response, wait: Wait = True, reason: Reason = None
) -> Operation:
    """Activate the model that was live before this one, through the same steps."""
    operation = await services.operations.roll_back(actor, wait=wait, reason=reason)
    if not wait:
        response.status_code = status.HTTP_202_ACCEPTED
    return operation


@operations.get(
    "/{operation_id}",
    summary="Follow an activation",
    responses=describe_problems(OperationNotFound),
    dependencies=require(Action.VIEW),
)
async def get_operation(services: Served, operation_id: str) -> Operation:
    """Return step, progress and, when it failed, the problem."""
    return await services.operations.get(operation_id)
