"""Reads and writes activations that wait for a second person."""

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.errors import RequestClosed, RequestNotFound
from understudy.models import ActivationRequestRow, RequestState, utc_now
from understudy.schemas.access.actor import ActingPrincipal
from understudy.schemas.registry.model import HistoryPrincipal
from understudy.schemas.server.policies import ActivationRequest

_LARGEST_ID = 2**31 - 1


async def get(session: AsyncSession, request_id: int) -> ActivationRequestRow:
    """Return the request, locked until the transaction ends where the database locks rows. Raises RequestNotFound."""
    query = select(ActivationRequestRow).where(ActivationRequestRow.request_id == min(request_id, _LARGEST_ID))
    found = await session.scalar(query.with_for_update().execution_options(populate_existing=True))
    if found is None or request_id > _LARGEST_ID:
        raise RequestNotFound(f"There is no activation request {request_id}.")
    return found


async def list_pending(session: AsyncSession) -> Sequence[ActivationRequestRow]:
    """Return the requests that have not ended, the oldest first."""
    query = select(ActivationRequestRow).where(
        ActivationRequestRow.state == RequestState.PENDING, ActivationRequestRow.expires_at > utc_now()
    )
    return (await session.scalars(query.order_by(ActivationRequestRow.request_id))).all()


def find_state(row: ActivationRequestRow) -> RequestState:
    """Return the state; a pending request past its end is expired."""
    if row.state == RequestState.PENDING and row.expires_at <= utc_now():
        return RequestState.EXPIRED
    return RequestState(row.state)


def refuse_closed(row: ActivationRequestRow) -> None:
    """Raises RequestClosed unless the request is pending."""
    state = find_state(row)
    if state is RequestState.PENDING:
        return
    by = f" by {row.decided_by_name}" if row.decided_by_name and state is not RequestState.EXPIRED else ""
    at = row.expires_at if state is RequestState.EXPIRED else row.decided_at
    when = f" at {at:%Y-%m-%d %H:%M} UTC" if at else ""
    raise RequestClosed(f"The request {row.request_id} was {_STATE_WORDS[state]}{by}{when}.")


_STATE_WORDS = {
    RequestState.APPROVED: "approved",
    RequestState.DONE: "approved and done",
    RequestState.FAILED: "approved and has failed",
    RequestState.DECLINED: "declined",
    RequestState.EXPIRED: "not approved in time and expired",
}


def decide(
    row: ActivationRequestRow, state: RequestState, principal: ActingPrincipal | None, reason: str | None
) -> None:
    """Note who decided about the request, and how."""
    row.state, row.decided_at, row.decision_reason = state, utc_now(), reason
    if principal is not None:
        row.decided_by_id, row.decided_by_name = principal.principal_id, principal.name
        row.decided_by_kind = str(principal.kind)


async def finish(session: AsyncSession, request_id: int, *, done: bool) -> bool:
    """Note that an approved request was done or has failed; False where it is not approved any more."""
    state = RequestState.DONE if done else RequestState.FAILED
    query = update(ActivationRequestRow).where(
        ActivationRequestRow.request_id == request_id, ActivationRequestRow.state == RequestState.APPROVED
    )
    changed = await session.execute(query.values(state=state).returning(ActivationRequestRow.request_id))
    return changed.scalar_one_or_none() is not None


def to_answer(row: ActivationRequestRow) -> ActivationRequest:
    """Return the request as the API shows it."""
    return ActivationRequest(
        **{name: getattr(row, name) for name in _SAME},
        state=find_state(row),
        requested_by=_to_principal(row.principal_id, row.principal_name, row.principal_kind),
        decided_by=_to_principal(row.decided_by_id, row.decided_by_name, row.decided_by_kind),
    )


_SAME = tuple(name for name in ActivationRequest.model_fields if name not in {"state", "requested_by", "decided_by"})


def _to_principal(principal_id: int | None, name: str | None, kind: str | None) -> HistoryPrincipal | None:
    return None if kind is None else HistoryPrincipal(principal_id=principal_id, name=name, kind=kind)
