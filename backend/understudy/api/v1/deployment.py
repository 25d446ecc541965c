"""Activates models, rolls back and reports on both over HTTP."""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response, status

from understudy.access.actions import Action
from understudy.access.caller import Caller
from understudy.api.access.permission import CurrentActor, CurrentCaller, require
from understudy.api.dependencies import ModelIdPath, Served
from understudy.api.paths import MODELS
from understudy.api.problems.error_handlers import ProblemResponse
from understudy.api.problems.problem_responses import describe_problems
from understudy.errors import (
    ApprovalNeeded,
    ApprovalRefused,
    BackboneMissing,
    CompileFailed,
    ExamplesMissed,
    FileChanged,
    FileMissing,
    FormatUnknown,
    Frozen,
    ModelNotFound,
    ModelUnsafe,
    NothingToRollBack,
    OperationNotFound,
    ParityFailed,
    PolicyRefused,
    ReportNotFound,
    RequestInvalid,
    RolloutFailed,
    TakesTensors,
    WarmUpFailed,
)
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.server.operation import Operation, RollbackTarget
from understudy.schemas.server.rollout import DEFAULT_SECONDS, LONGEST_SECONDS, RolloutOptions

router = APIRouter(prefix=MODELS, tags=["deployment"])
operations = APIRouter(prefix="/operations", tags=["deployment"])

Wait = Annotated[
    bool | Literal["all"],
    Query(
        description="false answers 202 at once with an operation to poll; all answers when every live server on the "
        "database serves the model, or at the end of `timeout` with those that do not"
    ),
]
Timeout = Annotated[
    float,
    Query(
        alias="timeout",
        gt=0,
        le=LONGEST_SECONDS,
        allow_inf_nan=False,
        description="How long wait=all waits for the servers after the swap, in seconds",
    ),
]
FailFleet = Annotated[
    float | None,
    Query(
        ge=0,
        lt=1,
        allow_inf_nan=False,
        description="With wait=all: return to the model before where more than this share of the live servers could "
        "not load the model",
    ),
]
InPrecision = Annotated[Precision, Query(description="int8 needs an int8 variant that passed its gate")]
TensorsOnly = Annotated[bool, Query(description="true permits a model that takes tensors and cannot score recordings")]
Reason = Annotated[str | None, Query(max_length=500, description="Why; it stands in the history")]
OverrideFreeze = Annotated[
    bool, Query(description="true activates in a freeze as well, for `reason`, which the history keeps; admins only")
]
HELD = (ApprovalNeeded, ApprovalRefused, Frozen, PolicyRefused)
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


def choose_override(caller: Caller, reason: str | None, *, override_freeze: bool) -> str | None:
    """Return why a freeze is overridden, empty where nobody says, or None. Raises NotAllowed."""
    if not override_freeze:
        return None
    caller.require(Action.POLICIES)
    return reason or ""


@dataclass(frozen=True)
class Waiting:
    """Says whether the answer waits for the swap, and for which rollout."""

    swap: bool
    rollout: RolloutOptions | None = None


async def _parse_waiting(
    wait: Wait = True, timeout_seconds: Timeout = DEFAULT_SECONDS, fail_fleet: FailFleet = None
) -> Waiting:
    if wait == "all":
        return Waiting(True, RolloutOptions(timeout_seconds=timeout_seconds, fail_fleet=fail_fleet))
    if fail_fleet is not None:
        raise RequestInvalid("fail_fleet was sent without wait=all.", remedy="Add wait=all, or leave out fail_fleet.")
    return Waiting(wait)


WaitsFor = Annotated[Waiting, Depends(_parse_waiting)]


@router.post(
    "/{model_id}/activate",
    summary="Activate a model",
    responses={
        202: {"model": Operation, "description": "Under way"},
        **describe_problems(ModelNotFound, ReportNotFound, TakesTensors, RolloutFailed, *HELD, *REFUSALS),
    },
    dependencies=require(Action.ACTIVATE),
)
async def activate_model(
    services: Served,
    caller: CurrentCaller,
    actor: CurrentActor,
    model_id: ModelIdPath,
    response: Response,
    waiting: WaitsFor,
    precision: InPrecision = Precision.FLOAT32,
    tensors_only: TensorsOnly = False,
    reason: Reason = None,
    override_freeze: OverrideFreeze = False,
) -> Operation:
    """Verify, compile, warm up, commit and swap. If any step fails, the model that is live stays live.

    Where a policy asks for a second person, the answer is 409 `approval_needed` and names the request.
    """
    choose_override(caller, reason, override_freeze=override_freeze)
    operation = await services.operations.activate(
        model_id,
        actor,
        wait=waiting.swap,
        precision=precision,
        tensors_only=tensors_only,
        reason=reason,
        override_freeze=override_freeze,
        rollout=waiting.rollout,
    )
    if not waiting.swap:
        response.status_code = status.HTTP_202_ACCEPTED
    return operation


@router.get(
    "/rollback",
    response_model=RollbackTarget,
    summary="The model that a rollback goes back to",
    responses=describe_problems(NothingToRollBack),
    dependencies=require(Action.VIEW),
)
async def get_rollback_target(services: Served) -> RollbackTarget | Response:
    """Return the registered model that was live before this one, and its variant; nothing changes."""
    try:
        return await services.operations.find_rollback_target()
    except NothingToRollBack as error:
        # Raised, it would count as an error: the page asks this whenever it shows the live model.
        return ProblemResponse(error.problem(), status_code=error.status)


@router.post(
    "/rollback",
    summary="Go back to the model that was live before",
    responses={
        202: {"model": Operation, "description": "Under way"},
        **describe_problems(NothingToRollBack, RolloutFailed, *HELD, *REFUSALS),
    },
    dependencies=require(Action.ACTIVATE),
)
async def roll_back(
    services: Served,
    caller: CurrentCaller,
    actor: CurrentActor,
    response: Response,
    waiting: WaitsFor,
    reason: Reason = None,
    override_freeze: OverrideFreeze = False,
) -> Operation:
    """Activate the model that was live before this one, through the same steps and under the same policies."""
    choose_override(caller, reason, override_freeze=override_freeze)
    operation = await services.operations.roll_back(
        actor, wait=waiting.swap, reason=reason, override_freeze=override_freeze, rollout=waiting.rollout
    )
    if not waiting.swap:
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
