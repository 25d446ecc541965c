"""The zone of times that the database itself wrote into a column without a zone."""

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

log = structlog.get_logger()

# The setting with which sessions begin: of the role, the database or the server, in this order.
_READ_ZONE = text("SELECT reset_val FROM pg_settings WHERE name = 'TimeZone'")
_UTC_NAMES = {"UTC", "GMT", "Etc/UTC", "Etc/GMT", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "UCT", "Universal", "Zulu"}


async def read_zone(session: AsyncSession) -> tzinfo:
    """Return the zone in which `now()` fills a TIMESTAMP column: PostgreSQL's setting TimeZone; SQLite uses UTC."""
    if session.get_bind().dialect.name != "postgresql":
        return UTC
    name = await session.scalar(_READ_ZONE)
    if name in _UTC_NAMES:
        return UTC
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError):
        log.warning("unknown time zone of the database; its times are read as UTC", time_zone=name)
        return UTC
