"""SQLite set up for several threads and processes."""

import sqlite3
import time
from collections.abc import Iterable, Sequence
from functools import partial
from threading import Thread
from typing import Any, Self

import aiosqlite
from anyio.to_thread import run_sync
from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

_LOCK_SECONDS = 30.0
_LOCK_RETRY_SECONDS = 0.01
_LONGEST_WAIT_SECONDS = 5.0


class _Cursor(aiosqlite.Cursor):
    """Runs a statement and fetches its rows in one visit to the connection's thread.

    aiosqlite goes there once more to make the cursor, to fetch and to close, which costs more than a row by its key.
    """

    _rows: Sequence[sqlite3.Row] = ()

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> Self:
        self._rows = await self._execute(self._run, sql, parameters or ())  # type: ignore[no-untyped-call]
        return self

    def _run(self, sql: str, parameters: Any) -> list[Any]:
        return self._cursor.execute(sql, parameters).fetchall()

    async def fetchall(self) -> Sequence[sqlite3.Row]:
        return self._rows

    async def close(self) -> None:
        """Nothing to do: fetching the last row has reset the statement."""


class _Connection(aiosqlite.Connection):
    @property
    def worker(self) -> Thread:
        return self._thread

    def cursor(self) -> _Cursor:  # type: ignore[override]  # an asynchronous context manager all the same
        return _Cursor(self, self._conn.cursor())


class Workers:
    """The threads behind an engine's connections.

    A connection that failed to open, or was given up because its task was cancelled, leaves its thread to report to the
    event loop later on; waiting for them keeps such a report from meeting a closed loop.
    """

    def __init__(self) -> None:
        self._threads: list[Thread] = []

    def connect(self, path: str, **options: Any) -> aiosqlite.Connection:
        """A connection that opens when awaited; `options` are those of `sqlite3.connect`."""
        connection = _Connection(partial(_open, path, **options), iter_chunk_size=64)
        connection.worker.daemon = True
        self._threads = [*(thread for thread in self._threads if thread.is_alive()), connection.worker]
        return connection

    async def ended(self) -> None:
        """Return when every thread has stopped; their connections must be closed or given up."""
        for thread in self._threads:
            if thread.is_alive():
                await run_sync(thread.join, _LONGEST_WAIT_SECONDS)


def sqlite_engine(url: URL, workers: Workers, pool_timeout: float) -> AsyncEngine:
    """An engine in WAL mode whose transactions begin as the execution option `sqlite_begin` says, else DEFERRED."""
    # isolation_level None: the driver opens no transactions of its own, so that BEGIN is ours to spell.
    engine = create_async_engine(
        url,
        connect_args={"async_creator_fn": workers.connect, "isolation_level": None, "timeout": _LOCK_SECONDS},
        pool_timeout=pool_timeout,
        # The pages that a connection has read stay good for as long as no other one writes.
        pool_use_lifo=True,
    )
    event.listen(engine.sync_engine, "connect", _prepare)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _open(path: str, **options: Any) -> sqlite3.Connection:
    """A connection in WAL mode; runs on the connection's own thread.

    SQLite answers "database is locked" at once, without its busy timeout, to one of two connections that switch a new
    file to WAL together (https://www.sqlite.org/wal.html#sometimes_queries_return_sqlite_busy_in_wal_mode).
    """
    connection: sqlite3.Connection = sqlite3.connect(path, **options)
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.Error as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                connection.close()
                raise
            time.sleep(_LOCK_RETRY_SECONDS)
        else:
            return connection


def _prepare(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()
    connection.create_function("unicode_lower", 1, _lower, deterministic=True)


def _lower(value: object) -> object:
    """SQLite's own lower() knows ASCII only."""
    return value.lower() if isinstance(value, str) else value


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('sqlite_begin', 'DEFERRED')}")
