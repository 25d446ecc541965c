"""Sets SQLite up for several threads and processes.

The two subclasses use private members of aiosqlite. `tests/registry/database/dialects/test_sqlite.py` pins each of
them, and pyproject.toml caps the version.
"""

import asyncio
import math
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any, Self

import aiosqlite
from anyio.to_thread import run_sync
from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from understudy.registry.database.dialects.sqlite_file import FileIdentity

_BUSY_TIMEOUT = "understudy_busy_timeout"  # in ms, as the connection has it
_LOCK_RETRY_SECONDS = 0.01
_LONGEST_WAIT_SECONDS = 5.0


class _Cursor(aiosqlite.Cursor):
    """Runs a statement and fetches its rows in one call on the connection's thread.

    aiosqlite makes one more call each to create the cursor, to fetch and to close. These calls cost more than reading
    one row by its key.
    """

    _rows: Sequence[sqlite3.Row] = ()

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> Self:
        self._rows = await self._execute(self._execute_and_fetch, sql, parameters or ())  # type: ignore[no-untyped-call]
        return self

    def _execute_and_fetch(self, sql: str, parameters: Any) -> list[Any]:
        return self._cursor.execute(sql, parameters).fetchall()

    async def fetchall(self) -> Sequence[sqlite3.Row]:
        return self._rows

    async def close(self) -> None:
        """Do nothing: SQLite resets a statement when its last row is fetched."""


class _Connection(aiosqlite.Connection):
    """Closes what its thread opened, also where nobody waits for it any more."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        self._opened: list[sqlite3.Connection] = []
        super().__init__(partial(_keep, self._opened, connector), iter_chunk_size=64)

    def stop(self) -> "asyncio.Future[Any] | None":
        """End the thread. aiosqlite forgets what the thread opened for a task that was cancelled while it waited."""
        self._tx.put_nowait((None, partial(_close, self._opened)))
        return super().stop()

    @property
    def thread(self) -> Thread:
        """The thread on which every statement of this connection runs."""
        return self._thread

    def cursor(self) -> _Cursor:  # type: ignore[override]  # still an asynchronous context manager
        return _Cursor(self, self._conn.cursor())


class ConnectionThreads:
    """Opens an engine's connections and knows the thread of each.

    A connection that failed to open, or whose task was cancelled, is closed by its thread later on, and the thread then
    calls the event loop. `join` waits for these threads, so that none of them calls a closed loop.
    """

    def __init__(self) -> None:
        self._threads: list[Thread] = []
        self.file = FileIdentity()

    def connect(self, path: str, **options: Any) -> aiosqlite.Connection:
        """Return a connection that opens when it is awaited; `options` are those of `sqlite3.connect`."""
        return self._start(partial(_open, path, self.file, **options))

    def connect_read_only(self, path: str, **options: Any) -> aiosqlite.Connection:
        """Return a connection to an existing file that refuses to write."""
        return self._start(partial(_open_read_only, path, self.file, **options))

    def _start(self, connector: Callable[[], sqlite3.Connection]) -> aiosqlite.Connection:
        connection = _Connection(connector)
        connection.thread.daemon = True
        self._threads = [*(thread for thread in self._threads if thread.is_alive()), connection.thread]
        return connection

    async def join(self) -> None:
        """Wait until every thread has ended, at most 5 s for each; their connections must be closed before."""
        for thread in self._threads:
            if thread.is_alive():
                await run_sync(thread.join, _LONGEST_WAIT_SECONDS)


def build_sqlite_engine(
    url: URL, threads: ConnectionThreads, *, connections: int, seconds: float, read_only: bool = False
) -> AsyncEngine:
    """Return an engine in WAL mode with at most `connections` connections, which wait `seconds` for a lock.

    Its execution option `sqlite_begin` says how a transaction begins (DEFERRED), and `sqlite_wait` how long it waits
    for the lock, in seconds. With `read_only` the file must exist, keeps its journal mode and is never written.
    """
    connect = threads.connect_read_only if read_only else threads.connect
    # With isolation_level None the driver begins no transactions: `_begin` does.
    engine = create_async_engine(
        url,
        connect_args={"async_creator_fn": connect, "isolation_level": None, "timeout": seconds},
        pool_size=connections,
        max_overflow=0,
        pool_timeout=seconds,
        # The connection used last has the most pages in its cache; the cache is valid until another one writes.
        pool_use_lifo=True,
    )
    event.listen(engine.sync_engine, "connect", _prepare)
    event.listen(engine.sync_engine, "begin", partial(_begin, seconds))
    return engine


def _keep(opened: list[sqlite3.Connection], connector: Callable[[], sqlite3.Connection]) -> sqlite3.Connection:
    opened.append(connector())
    return opened[0]


def _close(opened: Iterable[sqlite3.Connection]) -> None:
    for connection in opened:
        connection.close()


class _FileConnection(sqlite3.Connection):
    """Notes on the identity of its file that it is closed."""

    file: FileIdentity | None = None

    def close(self) -> None:
        """Close the connection; it may be closed already."""
        file, self.file = self.file, None
        if file is not None:
            file.note_close()
        super().close()


def _open(path: str, file: FileIdentity, **options: Any) -> sqlite3.Connection:
    """Return a connection in WAL mode; runs on the connection's own thread. Raises DatabaseReplaced."""
    file.refuse_other()
    connection = sqlite3.connect(path, factory=_FileConnection, **options)
    try:
        _enter_wal_mode(connection, time.monotonic() + options.get("timeout", _LONGEST_WAIT_SECONDS))
        connection.execute("PRAGMA schema_version")  # opens the log
        file.remember(path)
    except BaseException:
        connection.close()
        raise
    file.note_open()
    connection.file = file
    return connection


def _enter_wal_mode(connection: sqlite3.Connection, deadline: float) -> None:
    """Switch to WAL mode.

    When two connections switch a new file at once, SQLite answers one of them "database is locked" without waiting for
    its busy timeout (https://www.sqlite.org/wal.html#sometimes_queries_return_sqlite_busy_in_wal_mode).
    """
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.Error as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_LOCK_RETRY_SECONDS)
        else:
            return


def _open_read_only(path: str, file: FileIdentity, **options: Any) -> sqlite3.Connection:
    """Return a connection that makes no file of its own; runs on the connection's own thread.

    SQLite needs to write beside the file to read one in WAL mode. Where it may not, and no other process has the file
    open, the file is read as one that nobody changes (https://www.sqlite.org/uri.html#uriimmutable).
    """
    place = Path(path).absolute()
    fixed = not os.access(place.parent, os.W_OK) and not Path(f"{place}-wal").exists()
    query = "mode=ro&immutable=1" if fixed else "mode=rw"
    connection: sqlite3.Connection = sqlite3.connect(f"{place.as_uri()}?{query}", **{**options, "uri": True})
    try:
        connection.execute("PRAGMA query_only = ON")
        file.remember(path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()
    connection.create_function("unicode_lower", 1, _to_lower, deterministic=True)


def _to_lower(value: object) -> object:
    """Return text in lower case; SQLite's own lower() changes ASCII letters only."""
    return value.lower() if isinstance(value, str) else value


def _begin(seconds: float, connection: Connection) -> None:
    options = connection.get_execution_options()
    # In steps of 0.1 s, so that a transaction that did not wait before keeps the timeout that its connection has.
    wait = math.ceil(10 * options.get("sqlite_wait", seconds)) * 100
    if wait != connection.info.get(_BUSY_TIMEOUT, round(seconds * 1000)):
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {wait}")
        connection.info[_BUSY_TIMEOUT] = wait
    connection.exec_driver_sql(f"BEGIN {options.get('sqlite_begin', 'DEFERRED')}")
