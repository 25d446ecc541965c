"""Checks that the clock of this machine agrees with PostgreSQL's."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select

from understudy.doctor.finding import Finding
from understudy.models import utc_now
from understudy.registry.database.database import Database
from understudy.registry.database.database_time import build_now

_ALLOWED = timedelta(seconds=2)


async def check(database: Database, clock: Callable[[], datetime] = utc_now) -> list[Finding]:
    """Find a difference of more than two seconds and half of the time that the question took.

    Several servers share a PostgreSQL database, and each ends freezes, confirmations and keys by its own clock. `clock`
    returns the time of this machine in UTC, without a zone.
    """
    if database.kind != "postgresql":
        return []
    async with database.read() as session:
        asked = clock()
        theirs = (await session.execute(select(build_now(session)))).scalar_one()
        took = clock() - asked
    ahead = asked + took / 2 - theirs
    if abs(ahead) <= _ALLOWED + took / 2:
        return []
    seconds = f"{abs(ahead).total_seconds():.0f} s {'ahead of' if ahead > timedelta() else 'behind'}"
    return [
        Finding(
            "clock_differs",
            database.address,
            f"The clock of this machine is {seconds} the clock of PostgreSQL. A server here ends freezes, "
            "confirmations, keys and sessions too early or too late.",
            "Synchronize the clocks of both machines, for example: timedatectl set-ntp true",
        )
    ]
