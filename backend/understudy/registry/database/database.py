"""The database of one process: connections, transactions, tables."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from types import TracebackType
from typing import Self, TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from understudy.migrations import AdoptionReport, TableFinding, examine, repair, upgrade
from understudy.registry.database.address import format_address
from understudy.registry.database.advisory_lock import AdvisoryLock, hold_until_commit
from understudy.registry.database.engine import build_engine, translate_database_errors
from understudy.registry.database.sqlite import ConnectionThreads
from understudy.settings import Settings

_Result = TypeVar("_Result")

# For the transaction only: behind a pooler, a session belongs to other clients as well.
_WRITE_IN_UTC = text("SET LOCAL TimeZone TO 'UTC'")


class Database:
    """Sessions on the database of `settings`. Every method raises DatabaseUnavailable when the database fails.

    `read` sees one consistent state on SQLite and READ COMMITTED on PostgreSQL. `write` commits when its block ends and
    rolls back when the block raises. On SQLite it takes the write lock at once (BEGIN IMMEDIATE), so that it never
    fails half way because another writer came first.
    """

    def __init__(self, settings: Settings) -> None:
        self._threads = ConnectionThreads()
        self._engine = build_engine(settings, self._threads)
        self._writer = self._engine.execution_options(sqlite_begin="IMMEDIATE")
        self._read = async_sessionmaker(self._engine, expire_on_commit=False)
        self._write = async_sessionmaker(self._writer, expire_on_commit=False)
        # A connection that waits for SQLite's own lock sleeps between its attempts. Writers of this process wait here
        # instead, and go on at once.
        self._write_lock = asyncio.Lock() if self.kind == "sqlite" else nullcontext()

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    @property
    def address(self) -> str:
        """The address without its password."""
        return format_address(self._engine.url)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for reading."""
        with translate_database_errors(self._engine):
            async with self._read() as session:
                yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A session that commits when the block ends. On PostgreSQL its zone is UTC, also for defaults and triggers."""
        with translate_database_errors(self._engine):
            async with self._write_lock, self._write() as session:
                if self.kind == "postgresql":
                    await session.execute(_WRITE_IN_UTC)
                yield session
                await session.commit()

    async def upgrade_tables(self) -> AdoptionReport:
        """Bring the tables to the newest revision and adopt a hand-made `ml_models`.

        Several processes may call it at once: one works, the others wait and find it done. Raises Misconfigured when
        the database is newer than this program or `ml_models` cannot be adopted. `schema.migrate` is the whole job.
        """
        return await self._run_exclusively(upgrade)

    async def examine_tables(self) -> tuple[TableFinding, ...]:
        """List the differences from the documented table; change nothing."""
        with translate_database_errors(self._engine):
            async with self._engine.connect() as connection:
                return await connection.run_sync(examine)

    async def repair_tables(self) -> tuple[TableFinding, ...]:
        """Repair what `examine_tables` finds, under the same lock as `upgrade_tables`."""
        return await self._run_exclusively(repair)

    async def _run_exclusively(self, work: Callable[[Connection], _Result]) -> _Result:
        """Run `work` in one transaction that no other process's migration overlaps."""
        with translate_database_errors(self._engine):
            async with self._writer.begin() as connection:
                await hold_until_commit(connection, AdvisoryLock.MIGRATION)
                return await connection.run_sync(work)

    async def dispose(self) -> None:
        """Close every connection and wait for its thread."""
        await self._engine.dispose()
        await self._threads.join()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.dispose()
