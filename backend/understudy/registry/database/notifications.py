"""Notices commits of other processes sooner than the next poll does."""

import asyncio
import os
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio
import structlog
from sqlalchemy import URL

from understudy.registry.database.address import parse_address
from understudy.settings import Settings

# PostgreSQL's channel on which a switch of the live model is announced. It is part of the protocol between versions.
CHANNEL = "understudy_stage"

_LOG_CHECK_SECONDS = 0.02
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
# The connection is tried so often: nothing arrives over one that went silent, and nothing says so.
_PING_SECONDS = 30.0

_log = structlog.get_logger(__name__)


async def watch_changes(settings: Settings) -> AsyncGenerator[None]:
    """Yield once for each switch of the live model (PostgreSQL) or each transaction (SQLite) of any process.

    Some may be missed: the caller must poll as well. A connection that fails, or that does not support LISTEN (a
    transaction pooler), is logged and tried again after a pause that doubles up to a minute. The iterator never raises
    for an outage.
    """
    url = parse_address(settings)
    if url.get_backend_name() == "sqlite":
        changes = _watch_log_file(f"{url.database}-wal")
    else:
        changes = _listen(url, settings.database_seconds)
    async with aclosing(changes) as items:
        async for _ in items:
            yield


async def _watch_log_file(write_ahead_log: str) -> AsyncGenerator[None]:
    """Yield when the write-ahead log changes, and once more after that: its last lines may not be committed yet."""
    seen = _read_file_state(write_ahead_log)
    settled = True
    while True:
        await asyncio.sleep(_LOG_CHECK_SECONDS)  # anyio would find out fifty times a second which loop runs
        now = _read_file_state(write_ahead_log)
        if now != seen or not settled:
            settled = now == seen
            seen = now
            yield


def _read_file_state(path: str) -> tuple[int, int] | None:
    """Return modification time in ns and size in bytes, or None while no process has the database open.

    The file is not opened: a process that closes one of SQLite's files loses SQLite's locks on the database.
    """
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


async def _listen(url: URL, seconds: float) -> AsyncGenerator[None]:
    """Yield once for each notification of PostgreSQL, over a connection of its own.

    A connection on which the server does not answer within `seconds` is replaced.
    """
    import psycopg

    from understudy.registry.database.dialects.postgres import PromptConnection, build_options

    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            async with asyncio.timeout(seconds):
                connection = await PromptConnection.connect(
                    address, autocommit=True, prepare_threshold=None, **build_options(url, seconds)
                )
            async with connection:
                async with asyncio.timeout(seconds):
                    await connection.execute(f"LISTEN {CHANNEL}")
                pause = _FIRST_PAUSE_SECONDS
                while True:
                    async with aclosing(connection.notifies(timeout=_PING_SECONDS)) as notifications:
                        async for _ in notifications:
                            yield
                    await connection.ping()
        except (psycopg.Error, TimeoutError) as error:
            wait = _add_jitter(pause)
            _log.warning(
                "deployment_notifications_lost",
                reason=str(error).strip().partition("\n")[0] or "the server does not answer",
                effect="changes are still found by polling",
                retry_seconds=round(wait, 2),
            )
            await anyio.sleep(wait)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _add_jitter(pause: float) -> float:
    """Return a random time between half of `pause` and `pause`: servers that lost one database return one by one."""
    return random.uniform(pause / 2, pause)  # noqa: S311
