"""The database's word that something was committed; it only shortens the wait of the poll."""

import os
from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio
import structlog
from sqlalchemy import URL

from understudy.registry.database.engine import redact_address
from understudy.registry.deployment.desired_state import CHANNEL
from understudy.settings import Settings

_LOOK_SECONDS = 0.02
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0

_log = structlog.get_logger(__name__)


async def changes(settings: Settings) -> AsyncGenerator[None]:
    """One item for each switch (PostgreSQL) or transaction (SQLite), of whichever process; some may be missed.

    A connection that fails or does not support LISTEN (a transaction pooler) is logged and tried again after a pause
    that doubles up to a minute; the iterator itself never raises for an outage.
    """
    url = redact_address(settings)
    told = _writes(f"{url.database}-wal") if url.get_backend_name() == "sqlite" else _notifications(url)
    async with aclosing(told) as items:
        async for _ in items:
            yield


async def _writes(write_ahead_log: str) -> AsyncGenerator[None]:
    """One item when the log was written to, and one a look later: what was written may not have been committed yet."""
    seen = _times(write_ahead_log)
    settled = True
    while True:
        await anyio.sleep(_LOOK_SECONDS)
        now = _times(write_ahead_log)
        if now != seen or not settled:
            settled = now == seen
            seen = now
            yield


def _times(path: str) -> tuple[int, int] | None:
    """SQLite's files are looked at from outside: whoever closes one of them takes away SQLite's locks on it."""
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None  # no process has the database open
    return found.st_mtime_ns, found.st_size


async def _notifications(url: URL) -> AsyncGenerator[None]:
    """PostgreSQL's, on a connection of its own."""
    import psycopg

    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(
                address, autocommit=True, prepare_threshold=None, connect_timeout=5
            ) as connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                pause = _FIRST_PAUSE_SECONDS
                async with aclosing(connection.notifies()) as notifications:
                    async for _ in notifications:
                        yield
        except psycopg.Error as error:
            _log.warning(
                "stage_notifications_lost",
                reason=str(error).strip().partition("\n")[0],
                effect="changes are still found by polling",
                retry_seconds=pause,
            )
        await anyio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
