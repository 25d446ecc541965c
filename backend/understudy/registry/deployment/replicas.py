"""Stores the reports of the server processes about themselves."""

from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy import delete as sql_delete
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.errors import Conflict
from understudy.models import Replica
from understudy.registry.database.database_time import build_now

# A running server reports more often than this.
REPORT_AGE = timedelta(seconds=30)

Moment = datetime | ColumnElement[datetime]


@dataclass(frozen=True)
class ReplicaReport:
    """The model that a process has in memory.

    `replica` is `HOST:PROCESS_ID`. `state` is the state that the process reports, `error` the problem document of a
    load that failed. `seen_at` is the time at which the database stored it, in UTC without a zone; None before that.
    `desired_generation` is the generation that the process tries to serve. `load_seconds` is the time that the process
    took to load its model, `lag_seconds` the time from the commit until the model was live in it; None where it started
    after the commit.
    """

    replica: str
    model_id: int | None
    digest: str | None
    generation: int | None
    state: str
    error: dict[str, object] | None
    seen_at: datetime | None = None
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


async def save(session: AsyncSession, report: ReplicaReport, *, earlier: datetime | None = None) -> datetime | None:
    """Insert the report, or replace the process's earlier one, in one statement; return the time that it got.

    That is the report's own, where it has one, else the database's. `earlier` is the time of the report that the
    process stored before. Where the row has another one, a second process has the same name: nothing is done, and None
    is returned.
    """
    values = asdict(report)
    if report.seen_at is None:
        values["seen_at"] = build_now(session)
    statement = _build_insert(session).values(values)
    changed = {name: statement.excluded[name] for name in values if name != "replica"}
    own = None if earlier is None else Replica.seen_at == earlier
    replacing = statement.on_conflict_do_update(index_elements=[Replica.replica], set_=changed, where=own)
    stored_at: datetime | None = await session.scalar(replacing.returning(Replica.seen_at))
    return stored_at


def _build_insert(session: AsyncSession) -> Any:
    """Return an INSERT of the database's own dialect: only those can replace a row."""
    if session.get_bind().dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_into_postgresql

        return insert_into_postgresql(Replica)
    from sqlalchemy.dialects.sqlite import insert as insert_into_sqlite

    return insert_into_sqlite(Replica)


async def list_reports(
    session: AsyncSession, *, since: Moment | None = None, behind: int | None = None
) -> list[ReplicaReport]:
    """Return the reports ordered by process name.

    With `since`, only those seen at or after it; with `behind`, only those of servers that serve no model or an earlier
    generation.
    """
    columns = [getattr(Replica, field.name) for field in fields(ReplicaReport)]
    query = select(*columns).order_by(Replica.replica)
    if since is not None:
        query = query.where(Replica.seen_at >= since)
    if behind is not None:
        query = query.where(Replica.generation.is_(None) | (Replica.generation < behind))
    return [ReplicaReport(*row) for row in await session.execute(query)]


@dataclass(frozen=True)
class Progress:
    """Counts the servers that run, and holds the reports of those that do not serve a generation or a newer one.

    `read_at` is the time of the database's clock, in UTC without a zone.
    """

    running: int
    behind: list[ReplicaReport]
    read_at: datetime


async def read_progress(session: AsyncSession, generation: int) -> Progress:
    """Return how far the servers that run followed to `generation`. Reports of those that followed are only counted."""
    since = build_now(session, before=REPORT_AGE)
    counted = select(func.count(), build_now(session)).select_from(Replica).where(Replica.seen_at >= since)
    running, read_at = (await session.execute(counted)).one()
    return Progress(running, await list_reports(session, since=since, behind=generation), read_at)


async def list_running(session: AsyncSession) -> list[ReplicaReport]:
    """Return the reports of servers that run, or ended less than 30 seconds ago without saying so."""
    return await list_reports(session, since=build_now(session, before=REPORT_AGE))


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


async def delete_unseen(session: AsyncSession, *, since: Moment) -> None:
    """Delete the reports of processes that were last seen before `since`, unless somebody else changes them just now.

    A server that waited here for another one would hold up its own report, and the two could wait for each other.
    """
    unseen = select(Replica.replica).where(Replica.seen_at < since).with_for_update(skip_locked=True)
    await session.execute(sql_delete(Replica).where(Replica.replica.in_(unseen)))
