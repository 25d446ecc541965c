"""Stores the reports of the server processes about themselves."""

from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete as sql_delete
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.errors import Conflict
from understudy.models import Replica

# A running server reports more often than this.
REPORT_AGE = timedelta(seconds=30)


@dataclass(frozen=True)
class ReplicaReport:
    """The model that a process has in memory.

    `replica` is `HOST:PROCESS_ID`. `state` is the state that the process reports, `error` the problem document of a
    load that failed. `seen_at` is in UTC; a time without a zone counts as UTC. `desired_generation` is the generation
    that the process tries to serve. `load_seconds` is the time that the process took to load its model, `lag_seconds`
    the time from the commit until the model was live in it; None where it started after the commit.
    """

    replica: str
    model_id: int | None
    digest: str | None
    generation: int | None
    state: str
    error: dict[str, object] | None
    seen_at: datetime
    desired_generation: int | None = None
    load_seconds: float | None = None
    lag_seconds: float | None = None

    @property
    def host(self) -> str:
        return self.replica.rpartition(":")[0] or self.replica

    @property
    def process_id(self) -> int | None:
        """Return the number after the host's name, or None where there is none."""
        number = self.replica.rpartition(":")[2]
        return int(number) if number.isdecimal() else None


async def save(session: AsyncSession, report: ReplicaReport) -> None:
    """Insert the report, or replace the process's earlier one."""
    await session.merge(Replica(**asdict(report)))


async def list_reports(session: AsyncSession, *, since: datetime | None = None) -> list[ReplicaReport]:
    """Return the reports ordered by process name; with `since`, only those seen at or after it."""
    query = select(Replica).order_by(Replica.replica)
    if since is not None:
        query = query.where(Replica.seen_at >= since)
    names = [field.name for field in fields(ReplicaReport)]
    return [ReplicaReport(**{name: getattr(row, name) for name in names}) for row in await session.scalars(query)]


async def list_running(session: AsyncSession) -> list[ReplicaReport]:
    """Return the reports of servers that run, or ended less than 30 seconds ago without saying so."""
    return await list_reports(session, since=datetime.now(UTC) - REPORT_AGE)


async def refuse_running(session: AsyncSession) -> None:
    """Raise Conflict where a server runs on this database."""
    if running := await list_running(session):
        raise Conflict(
            f"A server runs on this database: {', '.join(each.replica for each in running)}.",
            remedy="Stop it, wait until 30 seconds after its last report, and run the command again.",
        )


async def delete(session: AsyncSession, replica: str) -> None:
    """Delete the report of a process that shuts down."""
    await session.execute(sql_delete(Replica).where(Replica.replica == replica))


async def delete_unseen(session: AsyncSession, *, since: datetime) -> None:
    """Delete the reports of processes that were last seen before `since`."""
    await session.execute(sql_delete(Replica).where(Replica.seen_at < since))
