"""The policies of activations over HTTP: read, change, approve, decline, confirm."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response, status

from understudy.access.actions import Action
from understudy.api.access.permission import CurrentActor, CurrentCaller, require
from understudy.api.dependencies import Served
from understudy.api.paths import POLICIES
from understudy.api.problems.problem_responses import describe_problems
from understudy.api.uploads.json_route import JsonRoute
from understudy.api.v1.deployment import REFUSALS, OverrideFreeze, Reason, choose_override
from understudy.errors import (
    ApprovalRefused,
    Frozen,
    ModelNotFound,
    NotAllowed,
    NothingToConfirm,
    PolicyRefused,
    RequestClosed,
    RequestInvalid,
    RequestNotFound,
    RequestStale,
    RolloutFailed,
    TakesTensors,
)
from understudy.schemas.registry.model import LARGEST_ID
from understudy.schemas.server.operation import Operation
from understudy.schemas.server.policies import ActivationRequest, Policies, PoliciesUpdate, PolicyStatus

router = APIRouter(prefix=POLICIES, tags=["deployment"], route_class=JsonRoute)

RequestId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="`request_id` of a pending request")]


@router.get("", summary="The policies, and what they hold back", dependencies=require(Action.VIEW))
async def get_policies(services: Served) -> PolicyStatus:
    """Return the policies, the freeze that holds now, the model that waits to be confirmed, and pending requests."""
    return await services.policies.get_status()


@router.patch(
    "",
    summary="Change the policies",
    responses=describe_problems(PolicyRefused, RequestInvalid),
    dependencies=require(Action.POLICIES),
)
async def update_policies(services: Served, actor: CurrentActor, body: PoliciesUpdate) -> Policies:
    """Change the fields that are present. They hold for every server of the registry at once; the history has it."""
    return await services.policies.update(body, actor)


@router.post(
    "/confirm",
    summary="Confirm the live model",
    responses=describe_problems(NothingToConfirm, RequestInvalid),
    dependencies=require(Action.ACTIVATE),
)
async def confirm_model(
    services: Served,
    actor: CurrentActor,
    generation: Annotated[
        int | None, Query(ge=0, le=2**63 - 1, description="Confirm only where this generation is live")
    ] = None,
) -> PolicyStatus:
    """Keep the live model; without this the model before is live again at the deadline."""
    return await services.policies.confirm(generation, actor)


@router.post(
    "/requests/{request_id}/approve",
    summary="Approve an activation",
    responses={
        202: {"model": Operation, "description": "Under way"},
        **describe_problems(
            RequestNotFound,
            RequestClosed,
            RequestStale,
            NotAllowed,
            ApprovalRefused,
            Frozen,
            ModelNotFound,
            TakesTensors,
            RolloutFailed,
            RequestInvalid,
            *REFUSALS,
        ),
    },
    dependencies=require(Action.ACTIVATE),
)
async def approve_activation(
    services: Served,
    caller: CurrentCaller,
    actor: CurrentActor,
    request_id: RequestId,
    response: Response,
    wait: Annotated[bool, Query(description="false answers 202 at once with an operation to poll")] = True,
    override_freeze: OverrideFreeze = False,
    reason: Reason = None,
) -> Operation:
    """Give the second person's word, and activate what was asked for. Nobody approves their own request."""
    override_reason = choose_override(caller, reason, override_freeze=override_freeze)
    operation = await services.approvals.approve(request_id, actor, wait=wait, override_reason=override_reason)
    if not wait:
        response.status_code = status.HTTP_202_ACCEPTED
    return operation


@router.post(
    "/requests/{request_id}/decline",
    summary="Decline or withdraw an activation",
    responses=describe_problems(RequestNotFound, RequestClosed, RequestInvalid),
    dependencies=require(Action.ACTIVATE),
)
async def decline_activation(
    services: Served, actor: CurrentActor, request_id: RequestId, reason: Reason = None
) -> ActivationRequest:
    """End a request; nothing goes live. Who made it withdraws it so."""
    return await services.approvals.decline(request_id, actor, reason)
