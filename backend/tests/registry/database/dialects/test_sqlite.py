"""The private members of aiosqlite that registry/database/dialects/sqlite.py uses, and what they save."""

import asyncio
import gc
import inspect
import os
import sqlite3
import tomllib
from collections.abc import AsyncIterator, Callable
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread, current_thread
from typing import Any

import aiosqlite
import pytest
from anyio.to_thread import run_sync

from understudy.registry.database.dialects.sqlite import ConnectionThreads, _Connection, _Cursor

pytestmark = pytest.mark.anyio

_PYPROJECT = Path(__file__).resolve().parents[5] / "pyproject.toml"


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[_Connection]:
    threads = ConnectionThreads()
    connection = await threads.connect(str(tmp_path / "test.db"), isolation_level=None, check_same_thread=False)
    assert isinstance(connection, _Connection)
    yield connection
    await connection.close()
    await threads.join()


def test_the_version_is_capped_to_the_one_that_these_tests_pin() -> None:
    dependencies = tomllib.loads(_PYPROJECT.read_text("utf-8"))["project"]["dependencies"]
    assert [each for each in dependencies if each.startswith("aiosqlite")] == ["aiosqlite>=0.22.1,<0.23"]
    assert version("aiosqlite").startswith("0.22.")


def test_the_constructors_take_what_the_subclasses_give() -> None:
    assert list(inspect.signature(aiosqlite.Connection.__init__).parameters)[:3] == [
        *("self", "connector", "iter_chunk_size")
    ]
    assert list(inspect.signature(aiosqlite.Cursor.__init__).parameters) == ["self", "conn", "cursor"]


async def test_thread_is_the_thread_on_which_statements_run(connection: _Connection) -> None:
    assert isinstance(connection._thread, Thread)
    assert connection._thread.daemon
    assert connection.thread is connection._thread
    assert await connection._execute(current_thread) is connection._thread  # type: ignore[no-untyped-call]


async def test_conn_and_cursor_are_those_of_sqlite3(connection: _Connection) -> None:
    assert isinstance(connection._conn, sqlite3.Connection)
    cursor = connection.cursor()
    assert isinstance(cursor, _Cursor)
    assert isinstance(cursor._cursor, sqlite3.Cursor)
    assert await cursor._execute(current_thread) is connection._thread  # type: ignore[no-untyped-call]


async def test_a_statement_with_its_rows_is_one_call_on_the_thread(
    connection: _Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Callable[..., Any]] = []

    class CountingQueue:
        def __init__(self, queue: "SimpleQueue[Any]") -> None:
            self._queue = queue

        def put_nowait(self, item: Any) -> None:
            calls.append(item[1])
            self._queue.put_nowait(item)

    queue = connection._tx
    monkeypatch.setattr(connection, "_tx", CountingQueue(queue))
    cursor = connection.cursor()
    await cursor.execute("SELECT ? UNION ALL SELECT 2", (1,))
    assert [tuple(row) for row in await cursor.fetchall()] == [(1,), (2,)]
    assert cursor.description is not None
    await cursor.close()
    assert len(calls) == 1
    monkeypatch.setattr(connection, "_tx", queue)


async def test_an_error_of_a_statement_is_raised_to_its_caller(connection: _Connection) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await connection.cursor().execute("SELECT * FROM absent")


async def test_the_thread_of_a_connection_that_failed_to_open_ends(tmp_path: Path) -> None:
    threads = ConnectionThreads()
    with pytest.raises(sqlite3.OperationalError):
        await threads.connect(str(tmp_path / "absent" / "test.db"))
    async with asyncio.timeout(10):
        await threads.join()
    assert not any(thread.is_alive() for thread in threads._threads)


async def _cancel_opening(threads: ConnectionThreads, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancel a task while its thread opens the file, and wait until the thread has ended."""
    opens, cancelled = Event(), Event()
    stat = os.stat

    def stat_late(*arguments: Any, **options: Any) -> os.stat_result:
        opens.set()
        assert cancelled.wait(30)
        return stat(*arguments, **options)

    async def open_it() -> None:
        await threads.connect(str(path), isolation_level=None, check_same_thread=False)

    with monkeypatch.context() as patch:
        patch.setattr("understudy.registry.database.dialects.sqlite_file.os.stat", stat_late)
        opening = asyncio.ensure_future(open_it())
        await run_sync(opens.wait, 30)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        cancelled.set()
        await threads.join()


async def test_a_connection_whose_task_was_cancelled_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its log would lie beside the file until the garbage collector found it, and Python 3.13 warns of it then."""
    path = tmp_path / "test.db"
    await _cancel_opening(ConnectionThreads(), path, monkeypatch)
    assert [each.name for each in tmp_path.iterdir()] == ["test.db"]


async def test_a_cancelled_opening_makes_no_later_log_another_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads, path = ConnectionThreads(), tmp_path / "test.db"
    await _cancel_opening(threads, path, monkeypatch)
    gc.collect()
    for _ in range(2):
        connection = await threads.connect(str(path), isolation_level=None, check_same_thread=False)
        threads.file.refuse_other()
        await connection.close()
    await threads.join()


async def test_a_connection_that_could_not_be_set_up_is_closed(tmp_path: Path) -> None:
    threads, path = ConnectionThreads(), tmp_path / "test.db"
    path.write_bytes(b"no database at all " * 60)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        await threads.connect(str(path))
    await threads.join()
    gc.collect()  # Python 3.13 warns of a connection that was not closed
