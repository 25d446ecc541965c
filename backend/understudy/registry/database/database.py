"""The database of one process: connections, transactions, migration."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from types import TracebackType
from typing import Self, TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker

from understudy.migrations import AdoptionReport, TableFinding, examine, repair, upgrade
from understudy.registry.database.engine import build_engine, shown, translate_database_errors
from understudy.registry.database.sqlite import Workers
from understudy.registry.deployment import desired_state
from understudy.settings import Settings

_Result = TypeVar("_Result")
_MIGRATION_LOCK = 7_237_413_001


class Database:
    """Sessions on the database of `settings`; every method raises DatabaseUnavailable for an outage.

    `read` sees one consistent state on SQLite and READ COMMITTED on PostgreSQL. `write` commits when its block ends and
    rolls back when it raises; on SQLite it takes the write lock at once (BEGIN IMMEDIATE), so that it never fails half
    way because another writer came first.
    """

    def __init__(self, settings: Settings) -> None:
        self._workers = Workers()
        self._engine = build_engine(settings, self._workers)
        self._writer = self._engine.execution_options(sqlite_begin="IMMEDIATE")
        self._read = async_sessionmaker(self._engine, expire_on_commit=False)
        self._write = async_sessionmaker(self._writer, expire_on_commit=False)
        # Whoever waits for SQLite's own lock sleeps between looks at it; only other processes need to.
        self._turn = asyncio.Lock() if self.kind == "sqlite" else nullcontext()

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    @property
    def address(self) -> str:
        """The address without its password."""
        return shown(self._engine.url)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        with translate_database_errors(self._engine):
            async with self._read() as session:
                yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        with translate_database_errors(self._engine):
            async with self._turn, self._write() as session:
                yield session
                await session.commit()

    async def migrate(self) -> AdoptionReport:
        """Bring the schema up to date, adopt a hand-made table, and put the stage in line with it.

        Several processes may call it at once: one works, the others wait and find it done. Raises Misconfigured when
        the database is newer than this program or `ml_models` cannot be adopted.
        """
        report = await self._alone(upgrade)
        async with self.write() as session:
            await desired_state.reconcile(session)
        return report

    async def examine(self) -> tuple[TableFinding, ...]:
        """What differs from the documented table; changes nothing."""
        with translate_database_errors(self._engine):
            async with self._engine.connect() as connection:
                return await connection.run_sync(examine)

    async def repair(self) -> tuple[TableFinding, ...]:
        """Repair what `examine` finds, under the same lock as `migrate`."""
        findings = await self._alone(repair)
        async with self.write() as session:
            await desired_state.reconcile(session)
        return findings

    async def _alone(self, work: Callable[[Connection], _Result]) -> _Result:
        """`work` in one transaction that no other process's migration overlaps."""
        with translate_database_errors(self._engine):
            async with self._writer.begin() as connection:
                await _lock(connection)
                return await connection.run_sync(work)

    async def dispose(self) -> None:
        await self._engine.dispose()
        await self._workers.ended()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.dispose()


async def _lock(connection: AsyncConnection) -> None:
    """SQLite's BEGIN IMMEDIATE is the lock already."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
