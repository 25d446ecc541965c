"""The time by which the live model must be confirmed; it stands in the row that counts the generations."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.errors import Conflict
from understudy.history_chain import parse_state
from understudy.models import FLOAT32, Deployment, History, HistoryEvent, utc_now

# One server returns at a time; where it dies, another one tries after this.
CLAIM = timedelta(seconds=60)
# In the history's `after` of a model that has to be confirmed.
CONFIRM_BY = "confirm_by"
_WENT_LIVE = (HistoryEvent.ACTIVATED, HistoryEvent.ROLLED_BACK)
_LONGEST_CLAIM = timedelta(hours=1)


@dataclass(frozen=True)
class Deadline:
    """The live model must be confirmed until `confirm_by` (UTC, no zone), or the model before it is live again."""

    confirm_by: datetime
    return_model_id: int
    return_variant: str


@dataclass(frozen=True)
class Running:
    """A deadline that runs, for the model `model_id` of `generation`."""

    generation: int
    model_id: int
    deadline: Deadline
    claimed_until: datetime | None

    @property
    def is_free(self) -> bool:
        """True once a server may return to the model before, and no server has claimed that."""
        now = utc_now()
        return self.deadline.confirm_by <= now and (self.claimed_until is None or self.claimed_until <= now)


async def read(session: AsyncSession) -> Running | None:
    """Return the deadline that runs, or None."""
    row = (await session.scalars(select(Deployment).execution_options(populate_existing=True))).one_or_none()
    if row is None or row.confirm_by is None or row.return_model_id is None or row.model_id is None:
        return None
    deadline = Deadline(row.confirm_by, row.return_model_id, row.return_form or FLOAT32)
    return Running(row.generation, row.model_id, deadline, row.return_claimed_until)


async def was_left_unconfirmed(session: AsyncSession, model_id: int) -> bool:
    """Return whether the model had to be confirmed when it went live last, and nobody did."""
    query = select(History).where(History.model_id == model_id, History.event.in_(_WENT_LIVE))
    last = (await session.scalars(query.order_by(History.history_id.desc()).limit(1))).one_or_none()
    after = None if last is None else parse_state(last.after_json)
    if last is None or not isinstance(after, dict) or CONFIRM_BY not in after:
        return False
    confirmed = select(History.history_id).where(
        History.event == HistoryEvent.CONFIRMED, History.generation == last.generation
    )
    return (await session.scalar(confirmed.limit(1))) is None


async def refuse_needed(session: AsyncSession, model_id: int, what: str) -> None:
    """Raises Conflict for a change of the model that is live again unless the present one is confirmed."""
    running = await read(session)
    if running is not None and running.deadline.return_model_id == model_id != running.model_id:
        raise Conflict(
            f"Model {model_id} {what}: it is live again unless model {running.model_id} is confirmed until "
            f"{running.deadline.confirm_by:%Y-%m-%d %H:%M} UTC.",
            remedy="Confirm the live model first: `understudy policy confirm`.",
        )


async def clear(session: AsyncSession, generation: int) -> bool:
    """Confirm the model of a generation; False where no deadline runs for it."""
    query = update(Deployment).where(Deployment.generation == generation, Deployment.confirm_by.is_not(None))
    cleared = query.values(
        confirm_by=None, return_model_id=None, return_form=None, return_claimed_until=None
    ).returning(Deployment.stage_id)
    return (await session.execute(cleared)).scalar_one_or_none() is not None


async def claim(session: AsyncSession, running: Running) -> bool:
    """Claim the return for this server; False where another server has it, or the deadline was met or moved.

    A claim ends by itself. The time between two attempts grows with the time since the deadline, up to an hour.
    """
    now = utc_now()
    until = now + min(max(CLAIM, now - running.deadline.confirm_by), _LONGEST_CLAIM)
    query = update(Deployment).where(
        Deployment.generation == running.generation,
        Deployment.confirm_by <= now,
        or_(Deployment.return_claimed_until.is_(None), Deployment.return_claimed_until <= now),
    )
    claimed = query.values(return_claimed_until=until).returning(Deployment.stage_id)
    return (await session.execute(claimed)).scalar_one_or_none() is not None
