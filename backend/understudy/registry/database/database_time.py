"""The clock that all servers on a database share."""

from datetime import datetime, timedelta

from sqlalchemy import TIMESTAMP, ColumnElement, Interval, func, literal
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.models import utc_now

_NOTHING = timedelta()


def build_now(session: AsyncSession, *, before: timedelta = _NOTHING) -> ColumnElement[datetime]:
    """Return an expression for the present time in UTC, or for a time `before` it.

    The clocks of two machines may be minutes apart: what one of them wrote is compared by PostgreSQL's clock alone. All
    servers on a SQLite file have the same clock.
    """
    if session.get_bind().dialect.name != "postgresql":
        return literal(utc_now() - before, TIMESTAMP())
    now = func.timezone("UTC", func.statement_timestamp(), type_=TIMESTAMP())
    return now - literal(before, Interval()) if before else now
