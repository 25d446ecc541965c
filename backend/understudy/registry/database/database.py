"""The database of one process: connections, transactions, tables."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from types import TracebackType
from typing import Self, TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from understudy.errors import TableRefused
from understudy.migrations import (
    ADD_ONLY,
    AdoptionReport,
    Repair,
    TableFinding,
    examine,
    repair_tables,
    require_newest,
    upgrade,
)
from understudy.registry.database.address import format_address
from understudy.registry.database.advisory_lock import AdvisoryLock, hold_until_commit
from understudy.registry.database.engine import build_engine, translate_database_errors
from understudy.registry.database.sqlite import ConnectionThreads
from understudy.registry.database.statement_errors import describe_reason
from understudy.settings import Settings

_Result = TypeVar("_Result")

# For the transaction only: behind a pooler, a session belongs to other clients as well.
_WRITE_IN_UTC = text("SET LOCAL TimeZone TO 'UTC'")


def _refuse_change(error: DBAPIError) -> TableRefused | None:
    """Return the error for a change of the tables that the database refused.

    None for an outage and for a missing right, which have errors of their own.
    """
    denied = getattr(error.orig, "sqlstate", None) in {"42501", "25006"}
    if denied or isinstance(error, OperationalError | InterfaceError):
        return None
    statement = " ".join((error.statement or "").split())
    return TableRefused(
        f"The database refused a change of its tables: {describe_reason(error)}. Nothing was changed.",
        remedy=f"Run this as the owner of the table and correct what it reports: {statement};",
    )


class Database:
    """Sessions on the database of `settings`. Every method raises DatabaseUnavailable when the database fails.

    `read` sees one consistent state on SQLite and READ COMMITTED on PostgreSQL. `write` commits when its block ends and
    rolls back when the block raises. On SQLite it takes the write lock at once (BEGIN IMMEDIATE), so that it never
    fails half way because another writer came first.
    """

    def __init__(self, settings: Settings, *, read_only: bool = False) -> None:
        """Open nothing yet. With `read_only` nothing is ever written, and an SQLite file must exist.

        Raises DatabaseMissing, DatabaseUnavailable and Misconfigured.
        """
        self.read_only = read_only
        self._threads = ConnectionThreads()
        self._engine = build_engine(settings, self._threads, read_only=read_only)
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

    async def require_tables(self) -> None:
        """Check that the tables have the newest revision; write nothing.

        Raises DatabaseNotReady, TableRefused for an `ml_models` whose rows are hidden, and Misconfigured when the
        database is newer than this program.
        """
        with translate_database_errors(self._engine):
            async with self._engine.connect() as connection:
                await connection.run_sync(require_newest)

    async def upgrade_tables(self, repair: Repair = ADD_ONLY) -> AdoptionReport:
        """Bring the tables to the newest revision and adopt a hand-made `ml_models`.

        Several processes may call it at once: one works, the others wait and find it done. Raises Misconfigured when
        the database is newer than this program, TableRefused when `ml_models` cannot be adopted, and SeveralActive.
        `schema.migrate` is the whole job.
        """
        return await self._run_exclusively(lambda connection: upgrade(connection, repair))

    async def examine_tables(self) -> tuple[TableFinding, ...]:
        """List the differences from the documented table; change nothing."""
        with translate_database_errors(self._engine):
            async with self._engine.connect() as connection:
                return await connection.run_sync(examine)

    async def repair_tables(self, repair: Repair) -> tuple[TableFinding, ...]:
        """Repair what `examine_tables` finds, under the same lock as `upgrade_tables`; raises what that raises."""
        return await self._run_exclusively(lambda connection: repair_tables(connection, repair))

    async def _run_exclusively(self, work: Callable[[Connection], _Result]) -> _Result:
        """Run `work` in one transaction that no other process's migration overlaps."""
        with translate_database_errors(self._engine):
            async with self._writer.begin() as connection:
                await hold_until_commit(connection, AdvisoryLock.MIGRATION)
                try:
                    return await connection.run_sync(work)
                except DBAPIError as error:
                    if (refusal := _refuse_change(error)) is None:
                        raise
                    raise refusal from error

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
