"""What each process reports about itself."""

from dataclasses import asdict, dataclass, fields
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.models import Replica


@dataclass(frozen=True)
class ReplicaReport:
    """`state` is the process's own word for what it does; `error` the problem document of a load that failed.

    `seen_at` is UTC; without a zone it is taken as UTC.
    """

    replica: str
    model_id: int | None
    digest: str | None
    generation: int | None
    state: str
    error: dict[str, object] | None
    seen_at: datetime


async def report(session: AsyncSession, present: ReplicaReport) -> None:
    await session.merge(Replica(**asdict(present)))


async def list_reports(session: AsyncSession, *, since: datetime | None = None) -> list[ReplicaReport]:
    """Reports by name, of those seen at or after `since`."""
    query = select(Replica).order_by(Replica.replica)
    if since is not None:
        query = query.where(Replica.seen_at >= since)
    names = [field.name for field in fields(ReplicaReport)]
    return [ReplicaReport(**{name: getattr(row, name) for name in names}) for row in await session.scalars(query)]


async def forget(session: AsyncSession, replica: str) -> None:
    """For a process that stops in order."""
    await session.execute(delete(Replica).where(Replica.replica == replica))


async def forget_unseen(session: AsyncSession, *, since: datetime) -> None:
    """Drop reports of processes that were not seen since then."""
    await session.execute(delete(Replica).where(Replica.seen_at < since))
