"""PostgreSQL's word that the stage changed, on a connection of its own; it only shortens the wait of the poll."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio
import structlog

from app.registry.engine import database_address
from app.registry.stage import CHANNEL
from app.settings import Settings

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0

_log = structlog.get_logger(__name__)


async def changes(settings: Settings) -> AsyncGenerator[int, None]:
    """Generations as they are committed, by whichever process; some may be missed.

    Ends at once on SQLite. A connection that fails or does not support LISTEN (a transaction pooler) is logged and
    tried again after a pause that doubles up to a minute; the iterator itself never raises for an outage.
    """
    url = database_address(settings)
    if url.get_backend_name() != "postgresql":
        return
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
                    async for notification in notifications:
                        if notification.payload.isdecimal():
                            yield int(notification.payload)
        except psycopg.Error as error:
            _log.warning(
                "stage_notifications_lost",
                reason=str(error).strip().partition("\n")[0],
                effect="changes are still found by polling",
                retry_seconds=pause,
            )
        await anyio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
