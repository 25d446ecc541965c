"""Which model should be live: reading it, switching it, following changes made by hand."""

from dataclasses import dataclass

from sqlalchemy import Select, func, select, text, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.errors import Conflict, DatabaseUnavailable, ModelNotFound
from understudy.models import FLOAT32, Deployment, HistoryEvent, MlModel, utc_now
from understudy.registry.models import model_history

CHANNEL = "understudy_stage"
_SWITCH_LOCK = 7_237_413_002


@dataclass(frozen=True)
class Desired:
    """The model that every process should have live, and in which form."""

    model_id: int
    generation: int
    form: str = FLOAT32


@dataclass(frozen=True)
class DesiredStatePoll:
    """One look at the stage. `active_model_id` is the row marked active; `stage_model_id` the one last switched to.

    `form` is the form in which that one should be live.
    """

    generation: int
    stage_model_id: int | None
    active_model_id: int | None
    active_count: int
    form: str = FLOAT32

    @property
    def drifted(self) -> bool:
        """True when someone changed `is_active` by hand: `reconcile` is due."""
        return self.stage_model_id != self.active_model_id


def _active_id() -> Select[int]:
    """Of several active rows (possible only without the index) the one the repair would keep."""
    return (
        select(MlModel.model_id)
        .where(MlModel.is_active == true())
        .order_by(MlModel.updated_at.desc().nulls_last(), MlModel.model_id.desc())
        .limit(1)
    )


async def poll(session: AsyncSession) -> DesiredStatePoll:
    """One query; raises DatabaseUnavailable when the stage's row is missing."""
    count = select(func.count()).select_from(MlModel).where(MlModel.is_active == true())
    found = await session.execute(
        select(
            Deployment.generation,
            Deployment.model_id,
            _active_id().scalar_subquery(),
            count.scalar_subquery(),
            Deployment.form,
        )
    )
    row = found.one_or_none()
    if row is None:
        raise DatabaseUnavailable("The row of understudy_stage is missing.", remedy="Run `understudy doctor --fix`.")
    return DesiredStatePoll(*row)


async def desired(session: AsyncSession) -> Desired | None:
    """The active row under the present generation; None when no row is active.

    A change by hand shows at once, but keeps the old generation until `reconcile` was called.
    """
    seen = await poll(session)
    if seen.active_model_id is None:
        return None
    return Desired(seen.active_model_id, seen.generation, FLOAT32 if seen.drifted else seen.form)


async def lock(session: AsyncSession) -> None:
    """Let no other transaction switch, re-point or delete until this one ends. `session` is from `Database.write`.

    Every writer takes it before it touches `ml_models`, so that two of them never wait for each other.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SWITCH_LOCK})


async def switch(
    session: AsyncSession,
    model_id: int,
    *,
    actor: str,
    event: HistoryEvent = HistoryEvent.ACTIVATED,
    form: str = FLOAT32,
) -> int:
    """Make `model_id` the one active model, live in `form`, and return the new generation.

    `session` is from `Database.write`.

    Two statements, clear and set: a single one breaks the unique index whenever the new row is visited first.
    Raises ModelNotFound when the row is gone.
    """
    await lock(session)
    if session.get_bind().dialect.name == "postgresql":
        # Keeps out statements typed by hand as well, which know nothing of the advisory lock.
        await session.execute(text("LOCK TABLE ml_models IN SHARE ROW EXCLUSIVE MODE"))
    before = await poll(session)
    await session.execute(
        update(MlModel).where(MlModel.is_active == true(), MlModel.model_id != model_id).values(is_active=False)
    )
    found = await session.execute(
        update(MlModel).where(MlModel.model_id == model_id).values(is_active=True).returning(MlModel.model_id)
    )
    if found.scalar_one_or_none() is None:
        raise ModelNotFound(f"There is no model {model_id}.")
    after = await poll(session)
    if after.active_count != 1 or after.active_model_id != model_id:
        raise Conflict(f"{after.active_count} models would be active after the switch to model {model_id}.")
    return await _turn(session, before, model_id, actor=actor, event=event, form=form)


async def reconcile(session: AsyncSession) -> Desired | None:
    """Follow what was changed by hand: when the active row is not the stage's, count a generation for it.

    Idempotent; any number of processes may call it. `session` is from `Database.write`.
    """
    await lock(session)
    seen = await poll(session)
    generation, form = seen.generation, seen.form
    if seen.drifted:
        form = FLOAT32
        generation = await _turn(session, seen, seen.active_model_id, actor="database", event=HistoryEvent.ACTIVATED)
    return None if seen.active_model_id is None else Desired(seen.active_model_id, generation, form)


async def _turn(
    session: AsyncSession,
    before: DesiredStatePoll,
    model_id: int | None,
    *,
    actor: str,
    event: HistoryEvent,
    form: str = FLOAT32,
) -> int:
    generation = before.generation + 1
    await session.execute(
        update(Deployment).values(generation=generation, model_id=model_id, changed_at=utc_now(), form=form)
    )
    left = {before.stage_model_id, before.active_model_id} - {None, model_id}
    for left_id in sorted(each for each in left if each is not None):
        await model_history.record(session, HistoryEvent.DEACTIVATED, left_id, actor=actor, generation=generation)
    if model_id is not None:
        await model_history.record(session, event, model_id, actor=actor, generation=generation, form=form)
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(select(func.pg_notify(CHANNEL, str(generation))))
    return generation
