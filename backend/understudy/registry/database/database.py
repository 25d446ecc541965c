"""The database of one process: connections, transactions, tables."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from types import TracebackType
from typing import Self, TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from understudy.errors import OutcomeUnknown, TableRefused
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
from understudy.registry.database import before_commit
from understudy.registry.database.address import format_address
from understudy.registry.database.advisory_lock import AdvisoryLock, hold_until_commit
from understudy.registry.database.deadline import Deadline
from understudy.registry.database.dialects.engine import build_engine, translate_database_errors
from understudy.registry.database.dialects.sqlite import ConnectionThreads
from understudy.registry.database.slots import Slots, Use
from understudy.registry.database.statement_errors import describe_reason, is_outcome_unknown
from understudy.settings import Settings

_Result = TypeVar("_Result")

# A migration of a large table, or an import of many rows.
_LONG = 60
# How long a migration waits for SQLite's lock, in deadlines of a transaction: another migration may hold it.
_MIGRATION_WAIT = 3
# For the transaction only: behind a pooler, a session belongs to other clients as well. The server ends a transaction
# whose client has gone: its locks would keep out every other writer.
_PREPARE_WRITE = text(
    "SELECT set_config('TimeZone', 'UTC', true), set_config('lock_timeout', :lock, true), "
    "set_config('statement_timeout', :all, true), set_config('idle_in_transaction_session_timeout', :all, true)"
)
# Of the time that is left: the server's answer then names the lock.
_LOCK_SHARE = 0.8


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

    Each has one deadline (`database_seconds`) for all that it waits for: a connection, locks, the answers, the commit.
    It holds also where the connection went silent.
    """

    def __init__(self, settings: Settings, *, read_only: bool = False) -> None:
        """Open nothing yet. With `read_only` nothing is ever written, and an SQLite file must exist.

        Raises DatabaseMissing, DatabaseUnavailable and Misconfigured.
        """
        self.read_only = read_only
        self._seconds = settings.database_seconds
        self._threads = ConnectionThreads()
        self._engine = build_engine(settings, self._threads, read_only=read_only)
        self.address = format_address(self._engine.url)
        """The address without its password."""
        self._writer = self._engine.execution_options(sqlite_begin="IMMEDIATE")
        self._migrator = self._writer.execution_options(sqlite_wait=_MIGRATION_WAIT * self._seconds)
        self._read = async_sessionmaker(self._engine, expire_on_commit=False)
        # On PostgreSQL each statement that only reads is a transaction of its own, which saves BEGIN and ROLLBACK.
        autocommit = {"isolation_level": "AUTOCOMMIT"} if self.kind == "postgresql" and not read_only else {}
        self._look_up = async_sessionmaker(self._engine.execution_options(**autocommit), expire_on_commit=False)
        self._write = async_sessionmaker(self._writer, expire_on_commit=False)
        self._slots = Slots(settings.database_connections)
        # A connection that waits for SQLite's own lock sleeps between its attempts. Writers of this process wait here
        # instead, and go on at once.
        self._write_lock = asyncio.Lock() if self.kind == "sqlite" else nullcontext()

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    @property
    def long_seconds(self) -> float:
        """The deadline of a transaction that reads or writes a whole table, in seconds."""
        return _LONG * self._seconds

    @asynccontextmanager
    async def read(self, use: Use = Use.READ, *, seconds: float | None = None) -> AsyncIterator[AsyncSession]:
        """A session for reading. It ends after `seconds`, by default `database_seconds`.

        Raises DatabaseBusy when no connection becomes free, and DatabaseReplaced when the file of an SQLite database
        is another one than at the beginning.
        """
        with translate_database_errors(self._engine):
            async with Deadline(self.address, seconds or self._seconds) as deadline, self._slots.take(use):
                deadline.note_answering()
                self._threads.file.refuse_other()
                async with (self._look_up if use is Use.OWN else self._read)() as session:
                    yield session

    @asynccontextmanager
    async def write(self, use: Use = Use.MANAGE, *, seconds: float | None = None) -> AsyncIterator[AsyncSession]:
        """A session that commits when the block ends. On PostgreSQL its zone is UTC, also for defaults and triggers.

        Raises what `read` raises; DatabaseBusy also when another writer keeps the lock, and OutcomeUnknown when the
        answer to the commit was lost. After any other error nothing was changed.
        """
        with translate_database_errors(self._engine):
            async with (
                Deadline(self.address, seconds or self._seconds) as deadline,
                self._write_lock,
                self._slots.take(use),
                self._write() as session,
            ):
                self._threads.file.refuse_other()
                await self._begin(session, deadline)
                yield session
                await session.flush()
                await before_commit.run(session)
                await self._commit(session, deadline)

    async def _begin(self, session: AsyncSession, deadline: Deadline) -> None:
        """Begin the transaction, and let the server give it up at the deadline."""
        left = deadline.seconds_left
        if self.kind == "sqlite":
            await session.connection(execution_options={"sqlite_wait": left})  # waits for the lock
            deadline.note_answering()
        else:
            deadline.note_answering()
            milliseconds = max(2.0, left * 1000)
            times = {"all": str(round(milliseconds)), "lock": str(round(_LOCK_SHARE * milliseconds))}
            await session.execute(_PREPARE_WRITE, times)

    async def _commit(self, session: AsyncSession, deadline: Deadline) -> None:
        deadline.note_commit()
        try:
            await session.commit()
        except DBAPIError as error:
            if not is_outcome_unknown(error):
                raise
            raise OutcomeUnknown(
                f"The connection to {self.address} broke while it committed: {describe_reason(error)}. "
                "The change may have been done."
            ) from error
        self._threads.file.refuse_other(committed=True)

    async def require_tables(self) -> None:
        """Check that the tables have the newest revision; write nothing.

        Raises DatabaseNotReady, TableRefused for an `ml_models` whose rows are hidden, and Misconfigured when the
        database is newer than this program.
        """
        await self._look(require_newest, self._seconds)

    async def upgrade_tables(self, repair: Repair = ADD_ONLY) -> AdoptionReport:
        """Bring the tables to the newest revision and adopt a hand-made `ml_models`.

        Several processes may call it at once: one works, the others wait and find it done. Raises Misconfigured when
        the database is newer than this program, TableRefused when `ml_models` cannot be adopted, and SeveralActive.
        `schema.migrate` is the whole job.
        """
        return await self._run_exclusively(lambda connection: upgrade(connection, repair))

    async def examine_tables(self) -> tuple[TableFinding, ...]:
        """List the differences from the documented table; change nothing."""
        return await self._look(examine, self.long_seconds)

    async def repair_tables(self, repair: Repair) -> tuple[TableFinding, ...]:
        """Repair what `examine_tables` finds, under the same lock as `upgrade_tables`; raises what that raises."""
        return await self._run_exclusively(lambda connection: repair_tables(connection, repair))

    async def _look(self, work: Callable[[Connection], _Result], seconds: float) -> _Result:
        """Run `work`, which only reads, within `seconds`."""
        with translate_database_errors(self._engine):
            async with Deadline(self.address, seconds) as deadline, self._engine.connect() as connection:
                deadline.note_answering()
                return await connection.run_sync(work)

    async def _run_exclusively(self, work: Callable[[Connection], _Result]) -> _Result:
        """Run `work` in one transaction that no other process's migration overlaps."""
        with translate_database_errors(self._engine):
            async with Deadline(self.address, self.long_seconds) as deadline, self._migrator.begin() as connection:
                deadline.note_answering()
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
