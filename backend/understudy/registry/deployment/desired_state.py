"""Reads and switches the model that should be live, and follows changes made by hand."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, text, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.errors import Conflict, DatabaseUnavailable, ModelNotFound, SeveralActive
from understudy.migrations import build_several_active
from understudy.models import FLOAT32, Deployment, HistoryEvent, MlModel, utc_now
from understudy.registry.database.advisory_lock import AdvisoryLock, hold_until_commit
from understudy.registry.database.notifications import CHANNEL
from understudy.registry.deployment import confirmations
from understudy.registry.deployment.confirmations import Deadline
from understudy.registry.models.history import model_history
from understudy.registry.models.table.rows import order_active_rows
from understudy.schemas.access.actor import Source

_HAS_LOCK = "understudy.switch_lock"


@dataclass(frozen=True)
class Desired:
    """The model that every process should have live, and its variant: `float32` or the key of an int8 variant."""

    model_id: int
    generation: int
    variant: str = FLOAT32


@dataclass(frozen=True)
class DesiredStatePoll:
    """One reading of the deployment.

    `active_model_id` is the row marked active, `stage_model_id` the model of the last switch, `variant` the variant
    in which the latter should be live. `changed_at` is the time of the last switch, `confirm_by` the time by which
    somebody must confirm the live model; both are in UTC, without a zone. `active_name` and `active_version` are those
    of the active row.
    """

    generation: int
    stage_model_id: int | None
    active_model_id: int | None
    active_count: int
    variant: str = FLOAT32
    changed_at: datetime | None = field(default=None, compare=False)
    confirm_by: datetime | None = field(default=None, compare=False)
    active_name: str | None = field(default=None, compare=False)
    active_version: str | None = field(default=None, compare=False)

    @property
    def drifted(self) -> bool:
        """True when someone changed `is_active` by hand: `reconcile` is due."""
        return self.stage_model_id != self.active_model_id


def _build_poll() -> Select[Any]:
    columns = MlModel.model_id, MlModel.model_name, MlModel.version, func.count().over().label("active_count")
    active = order_active_rows(select(*columns)).limit(1).subquery()
    return select(
        Deployment.generation,
        Deployment.model_id,
        active.c.model_id,
        func.coalesce(active.c.active_count, 0),
        Deployment.form,
        Deployment.changed_at,
        Deployment.confirm_by,
        active.c.model_name,
        active.c.version,
    ).outerjoin(active, true())


# Built once: each server asks it all the time.
_POLL = _build_poll()


async def poll(session: AsyncSession) -> DesiredStatePoll:
    """Read the deployment in one query; raises DatabaseUnavailable when its row is missing.

    Each server asks this all the time: it must stay one short query.
    """
    found = await session.execute(_POLL)
    row = found.one_or_none()
    if row is None:
        raise DatabaseUnavailable("The row of understudy_stage is missing.", remedy="Run `understudy doctor --fix`.")
    return DesiredStatePoll(*row)


async def read_desired(session: AsyncSession) -> Desired | None:
    """Return the active row with the present generation, or None when no row is active.

    A change by hand shows at once, but keeps the old generation until `reconcile` is called.
    """
    seen = await poll(session)
    if seen.active_model_id is None:
        return None
    return Desired(seen.active_model_id, seen.generation, FLOAT32 if seen.drifted else seen.variant)


async def lock(session: AsyncSession) -> None:
    """Let no other transaction switch, re-point or delete until this one ends. `session` is from `Database.write`.

    Every writer takes this lock before it touches `ml_models`, so that no two of them wait for each other. A second
    call in the same transaction asks the database nothing.
    """
    if session.info.get(_HAS_LOCK):
        return
    session.info[_HAS_LOCK] = True
    await hold_until_commit(await session.connection(), AdvisoryLock.SWITCH)


async def switch(
    session: AsyncSession,
    model_id: int,
    *,
    actor: str,
    event: HistoryEvent = HistoryEvent.ACTIVATED,
    variant: str = FLOAT32,
    instead_of: int | None = None,
    reason: str | None = None,
    deadline: Deadline | None = None,
) -> int:
    """Make `model_id` the one active model, live in `variant`, and return the new generation.

    `reason` stands in the history. With `deadline` the model must be confirmed until then. `session` is from
    `Database.write`. Raises ModelNotFound when the row is gone, SeveralActive when several rows are active already
    (which of them to give up is not known), and Conflict when the table would not hold exactly this one active row, or
    when the present generation is not `instead_of`.
    """
    await lock(session)
    if session.get_bind().dialect.name == "postgresql":
        # Statements typed by hand do not take the advisory lock: this keeps them out as well.
        await session.execute(text("LOCK TABLE ml_models IN SHARE ROW EXCLUSIVE MODE"))
    before = await poll(session)
    await _refuse_several(session, before)
    if instead_of is not None and (before.generation != instead_of or before.drifted):
        raise Conflict(f"Another model went live than that of generation {instead_of}.")
    await _mark_active(session, model_id)
    after = await poll(session)
    if after.active_count != 1 or after.active_model_id != model_id:
        raise Conflict(f"{after.active_count} models would be active after the switch to model {model_id}.")
    return await _count_generation(
        session, before, model_id, actor=actor, event=event, variant=variant, reason=reason, deadline=deadline
    )


async def _mark_active(session: AsyncSession, model_id: int) -> None:
    """Clear the other rows, then set this one: one statement for both can break the unique index half way."""
    await session.execute(
        update(MlModel).where(MlModel.is_active == true(), MlModel.model_id != model_id).values(is_active=False)
    )
    found = await session.execute(
        update(MlModel).where(MlModel.model_id == model_id).values(is_active=True).returning(MlModel.model_id)
    )
    if found.scalar_one_or_none() is None:
        raise ModelNotFound(f"There is no model {model_id}.")


async def reconcile(session: AsyncSession) -> Desired | None:
    """Follow a change made by hand: when the active row is not the one last switched to, count a new generation.

    Idempotent; any number of processes may call it. `session` is from `Database.write`. Raises SeveralActive.
    """
    await lock(session)
    seen = await poll(session)
    await _refuse_several(session, seen)
    generation, variant = seen.generation, seen.variant
    if seen.drifted:
        variant = FLOAT32
        generation = await _count_generation(
            session, seen, seen.active_model_id, actor=Source.SQL, event=HistoryEvent.ACTIVATED
        )
    return None if seen.active_model_id is None else Desired(seen.active_model_id, generation, variant)


async def refuse_several_active(session: AsyncSession) -> None:
    """Raises SeveralActive when more than one row is active."""
    await _refuse_several(session, await poll(session))


async def _refuse_several(session: AsyncSession, seen: DesiredStatePoll) -> None:
    if seen.active_count > 1:
        raise await describe_several_active(session)


async def describe_several_active(session: AsyncSession) -> SeveralActive:
    """Return the error that names the active rows, of which there are several."""
    return await (await session.connection()).run_sync(build_several_active)


async def _count_generation(
    session: AsyncSession,
    before: DesiredStatePoll,
    model_id: int | None,
    *,
    actor: str,
    event: HistoryEvent,
    variant: str = FLOAT32,
    reason: str | None = None,
    deadline: Deadline | None = None,
) -> int:
    """Write the new generation, its history and its notification; return its number."""
    generation = before.generation + 1
    await session.execute(
        update(Deployment).values(
            generation=generation,
            model_id=model_id,
            changed_at=utc_now(),
            form=variant,
            confirm_by=deadline and deadline.confirm_by,
            return_model_id=deadline and deadline.return_model_id,
            return_form=deadline and deadline.return_variant,
            return_claimed_until=None,
        )
    )
    earlier = await model_history.describe_live(session, before.stage_model_id, before.variant)
    now = await model_history.describe_live(session, model_id, variant)
    if deadline is not None and now is not None:
        now = {**now, confirmations.CONFIRM_BY: deadline.confirm_by.isoformat()}
    replaced = {before.stage_model_id, before.active_model_id} - {model_id}
    for replaced_id in sorted(each for each in replaced if each is not None):
        await model_history.record(
            session,
            HistoryEvent.DEACTIVATED,
            replaced_id,
            actor=actor,
            generation=generation,
            before=earlier,
            after=now,
        )
    if model_id is not None:
        await model_history.record(
            session,
            event,
            model_id,
            actor=actor,
            generation=generation,
            variant=variant,
            before=earlier,
            after=now,
            detail=reason,
        )
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(select(func.pg_notify(CHANNEL, str(generation))))
    return generation


async def restore_row(session: AsyncSession) -> bool:
    """Insert the row of the deployment where it is missing; False where it is there.

    Its generation is the highest in the history, so that the next switch counts on from there.
    """
    if await has_row(session):
        return False
    reached = await model_history.find_newest_generation(session)
    session.add(Deployment(stage_id=1, generation=reached, model_id=None, changed_at=utc_now()))
    return True


async def has_row(session: AsyncSession) -> bool:
    """True when the row that counts the generations exists."""
    return bool(await session.scalar(select(func.count()).select_from(Deployment)))
