"""Decides before an activation whether a policy holds it back, and records it as a request where two people decide."""

from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.errors import ApprovalNeeded, ApprovalRefused, RequestInvalid
from understudy.models import ActivationRequestRow, HistoryEvent, RequestState, utc_now
from understudy.registry.access.persons import find_standing
from understudy.registry.database.column_values import refuse_nul
from understudy.registry.database.database import Database
from understudy.registry.database.slots import Use
from understudy.registry.deployment import desired_state, policies
from understudy.registry.models import example_rows
from understudy.registry.models.file_records import RegisteredFile
from understudy.registry.models.history import model_history
from understudy.registry.registry import Registry
from understudy.schemas.access.actor import SYSTEM_USER, get_principal
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.server.policies import Policies
from understudy.schemas.server.rollout import RolloutOptions
from understudy.serving.activation.permit import Permit, compute_target

log = structlog.get_logger()


@dataclass(frozen=True)
class Ask:
    """An activation that somebody asks for; `override_reason` asks for it in a freeze as well."""

    kind: str
    model_id: int
    variant: str = Precision.FLOAT32
    tensors_only: bool = False
    reason: str | None = None
    override_reason: str | None = None
    rollout: RolloutOptions | None = None


class HeldActivations:
    """Asks the policies before an activation is begun."""

    def __init__(self, database: Database, registry: Registry) -> None:
        self._database = database
        self._registry = registry

    async def admit(self, ask: Ask, actor: str) -> Permit:
        """Return what the activation may pass by.

        Raises Frozen in a freeze, ApprovalNeeded once the activation is recorded as a request, ApprovalRefused for a
        caller who does not count where two people decide, PolicyRefused, and RequestInvalid for an empty reason.
        """
        refuse_nul("reason", ask.reason)
        refuse_empty_reason(ask.override_reason)
        async with self._database.read(Use.MANAGE) as session:
            present = await policies.read(session)
        if ask.override_reason is None:
            policies.refuse_frozen(present)
        if present.four_eyes:
            await self._record(ask, present, actor)
        return Permit(override_reason=ask.override_reason)

    async def find_target(self, model_id: int, variant: str) -> tuple[RegisteredFile, str]:
        """Return the model as it would go live now, and the digest of that. Raises as `Registry.read_spec_now` does."""
        model = (await self._registry.read_spec_now(model_id)).model
        async with self._database.read(Use.MANAGE) as session:
            examples_digest = await example_rows.find_digest(session, model.facts.digest)
        return model, compute_target(model, examples_digest, variant)

    async def _record(self, ask: Ask, present: Policies, actor: str) -> None:
        """Record the request, unless the same person's one waits already; always raises."""
        model, target = await self.find_target(ask.model_id, ask.variant)
        async with self._database.write() as session:
            row = await self._build_row(session, ask, model, target, actor)
            waiting = await _find_waiting(session, row)
            if waiting is None:
                row.expires_at = row.requested_at + timedelta(hours=present.request_hours)
                session.add(row)
                await session.flush()
                await model_history.record(
                    session,
                    HistoryEvent.REQUESTED,
                    ask.model_id,
                    actor=actor,
                    detail=f"Request {row.request_id}: {ask.kind}."
                    + (f" In a freeze as well: {ask.override_reason}." if ask.override_reason else "")
                    + (f" {ask.reason}" if ask.reason else ""),
                )
            number, until = (waiting or row).request_id, (waiting or row).expires_at
        log.info("activation waits for a second person", request_id=number, model_id=ask.model_id, actor=actor)
        raise ApprovalNeeded(
            f"Model {ask.model_id} was not made live: the activation waits as request {number} for the word of a "
            f"second person, until {until:%Y-%m-%d %H:%M} UTC."
        )

    async def _build_row(
        self, session: AsyncSession, ask: Ask, model: RegisteredFile, target: str, actor: str
    ) -> ActivationRequestRow:
        principal = get_principal(actor)
        standing = await find_standing(session, principal)
        if standing.person_id is None and (principal is None or principal.kind != SYSTEM_USER):
            name = "This caller" if principal is None else principal.name
            raise ApprovalRefused(
                f"An activation needs two people, and {name} {standing.fault}.", remedy=standing.remedy
            )
        return ActivationRequestRow(
            kind=ask.kind,
            model_id=ask.model_id,
            model_name=model.model_name,
            version=model.version,
            digest=model.facts.digest,
            form=ask.variant,
            tensors_only=ask.tensors_only,
            reason=ask.reason,
            override_reason=ask.override_reason,
            rollout=None if ask.rollout is None else ask.rollout.model_dump(mode="json"),
            generation=(await desired_state.poll(session)).generation,
            target=target,
            state=RequestState.PENDING,
            requested_at=utc_now(),
            principal_id=principal.principal_id if principal else None,
            principal_name=principal.name if principal else None,
            principal_kind=str(principal.kind) if principal else None,
            person_id=standing.person_id,
        )


def refuse_empty_reason(override_reason: str | None) -> None:
    """Raises RequestInvalid where a freeze is overridden without a reason."""
    refuse_nul("reason", override_reason)
    if override_reason is not None and not override_reason.strip():
        raise RequestInvalid(
            "A freeze is overridden for a reason only.", remedy='Say why: --reason "WHY", or `reason=WHY`.'
        )


async def _find_waiting(session: AsyncSession, row: ActivationRequestRow) -> ActivationRequestRow | None:
    """Return a pending request of the same principal for the same activation."""
    same = ("kind", "model_id", "form", "target", "generation", "principal_id", "principal_name", "override_reason")
    query = select(ActivationRequestRow).where(
        ActivationRequestRow.state == RequestState.PENDING,
        ActivationRequestRow.expires_at > utc_now(),
        *(getattr(ActivationRequestRow, name).is_not_distinct_from(getattr(row, name)) for name in same),
    )
    return (await session.scalars(query.limit(1))).one_or_none()
