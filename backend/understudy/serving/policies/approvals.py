"""Takes a second person's word on an activation that waits for it."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from understudy.errors import ApprovalRefused, RequestStale, UnderstudyError
from understudy.models import ActivationRequestRow, HistoryEvent, RequestState
from understudy.registry.access import principals
from understudy.registry.access.persons import find_standing
from understudy.registry.database.column_values import refuse_nul
from understudy.registry.database.database import Database
from understudy.registry.database.slots import Use
from understudy.registry.deployment import activation_requests, desired_state, policies
from understudy.registry.models.history import model_history
from understudy.schemas.access.actor import SYSTEM_USER, ActingPrincipal, get_principal
from understudy.schemas.access.role import Role
from understudy.schemas.server.operation import Operation
from understudy.schemas.server.policies import ActivationRequest
from understudy.schemas.server.rollout import RolloutOptions
from understudy.serving.activation.activation import Activation
from understudy.serving.activation.held_activations import HeldActivations, refuse_empty_reason
from understudy.serving.activation.operations import Operations
from understudy.serving.activation.permit import Approval, Permit
from understudy.serving.activation.preparation import OnStep
from understudy.serving.sync.live_model import ActivatedModel


@dataclass(frozen=True)
class _Approved:
    """The activation that an approved request permits."""

    request: ActivationRequest
    permit: Permit
    rollout: RolloutOptions | None


class Approvals:
    """Approves and declines activation requests; of several words at once, one counts."""

    def __init__(
        self, database: Database, held: HeldActivations, activation: Activation, operations: Operations
    ) -> None:
        self._database = database
        self._held = held
        self._activation = activation
        self._operations = operations

    async def approve(
        self, request_id: int, actor: str, *, wait: bool, override_reason: str | None = None
    ) -> Operation:
        """Approve a request and begin its activation; with `wait`, return when it is done.

        Raises RequestNotFound, RequestClosed, RequestStale, ApprovalRefused, Frozen and, with `wait`, every error of
        the activation.
        """
        refuse_empty_reason(override_reason)
        async with self._database.read(Use.MANAGE) as session:
            row = await activation_requests.get(session, request_id)
            activation_requests.refuse_closed(row)
        _, target = await self._held.find_target(row.model_id, row.form)
        approved = await self._decide(request_id, actor, target, override_reason)
        request = approved.request
        event = HistoryEvent.ROLLED_BACK if request.kind == "rollback" else HistoryEvent.ACTIVATED

        async def activate(on_step: OnStep) -> ActivatedModel:
            try:
                return await self._activation.activate(
                    request.model_id,
                    actor,
                    on_step,
                    event,
                    request.form,
                    tensors_only=request.tensors_only,
                    reason=request.reason,
                    permit=approved.permit,
                )
            except UnderstudyError:
                await self._note_failure(request_id)
                raise

        return await self._operations.run(
            request.kind, request.model_id, activate, wait=wait, rollout=approved.rollout, actor=actor
        )

    async def decline(self, request_id: int, actor: str, reason: str | None = None) -> ActivationRequest:
        """Decline a request; its own author withdraws it so. Raises RequestNotFound and RequestClosed."""
        refuse_nul("reason", reason)
        async with self._database.write() as session:
            row = await activation_requests.get(session, request_id)
            activation_requests.refuse_closed(row)
            activation_requests.decide(row, RequestState.DECLINED, get_principal(actor), reason)
            await _record(session, HistoryEvent.DECLINED, row, actor, reason)
            await session.flush()
            return activation_requests.to_answer(row)

    async def _decide(self, request_id: int, actor: str, target: str, override_reason: str | None) -> _Approved:
        async with self._database.write() as session:
            row = await activation_requests.get(session, request_id)
            activation_requests.refuse_closed(row)
            await _refuse_approver(session, row, get_principal(actor))
            await _refuse_stale(session, row, target)
            override_reason = override_reason or row.override_reason
            if override_reason is None:
                policies.refuse_frozen(await policies.read(session))
            activation_requests.decide(row, RequestState.APPROVED, get_principal(actor), override_reason)
            await _record(session, HistoryEvent.APPROVED, row, actor, override_reason)
            await session.flush()
            approval = Approval(row.request_id, row.principal_name or "", row.generation, row.target)
            return _Approved(
                request=activation_requests.to_answer(row),
                permit=Permit(approval, override_reason),
                rollout=None if row.rollout is None else RolloutOptions.model_validate(row.rollout),
            )

    async def _note_failure(self, request_id: int) -> None:
        """Note that the activation failed, unless it was committed. An outage of the database leaves it approved."""
        try:
            async with self._database.write() as session:
                await activation_requests.finish(session, request_id, done=False)
        except UnderstudyError:
            return  # the caller gets the error of the activation


async def _refuse_approver(session: AsyncSession, row: ActivationRequestRow, principal: ActingPrincipal | None) -> None:
    """Raises ApprovalRefused unless the caller is a second person."""
    standing = await find_standing(session, principal)
    name = "This caller" if principal is None else principal.name
    if standing.person_id is None:
        raise ApprovalRefused(f"{name} {standing.fault}.", remedy=standing.remedy)
    if standing.person_id == row.person_id:
        raise ApprovalRefused(f"The request {row.request_id} was made by the person for whom {name} speaks.")


async def _refuse_stale(session: AsyncSession, row: ActivationRequestRow, target: str) -> None:
    """Raises RequestStale where something else would be done than what was asked for, or nobody asks any more."""
    seen = await desired_state.poll(session)
    if seen.generation != row.generation or seen.drifted:
        raise RequestStale(f"Another model went live since request {row.request_id} was made.")
    if target != row.target:
        raise RequestStale(
            f"The file, the spec or the examples of model {row.model_id} were changed since request {row.request_id} "
            "was made."
        )
    if row.principal_kind == SYSTEM_USER:
        return
    asked = ActingPrincipal(row.principal_id, row.principal_name, row.principal_kind or "")
    account = await principals.find(session, row.principal_id or 0)
    if row.override_reason is not None and (account is None or account.role != Role.ADMIN):
        raise RequestStale(f"{row.principal_name}, who asked to override the freeze, may not do so any more.")
    if (standing := await find_standing(session, asked)).person_id != row.person_id:
        fault = standing.fault or "speaks for another person since"
        raise RequestStale(f"{row.principal_name}, who made request {row.request_id}, {fault}.")


async def _record(
    session: AsyncSession, event: HistoryEvent, row: ActivationRequestRow, actor: str, reason: str | None
) -> None:
    detail = f"Request {row.request_id} of {row.principal_name}." + (f" {reason}" if reason else "")
    await model_history.record(session, event, row.model_id, actor=actor, detail=detail)
