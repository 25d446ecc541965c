"""Locks that the processes of one database hold against each other."""

from enum import IntEnum

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


class AdvisoryLock(IntEnum):
    """Keys of PostgreSQL's advisory locks; they are shared by all versions of Understudy on one database."""

    MIGRATION = 7_237_413_001
    SWITCH = 7_237_413_002


async def hold_until_commit(connection: AsyncConnection, lock: AdvisoryLock) -> None:
    """Wait for `lock` and hold it until the transaction of `connection` ends.

    The transaction must be able to write. On SQLite it holds the write lock already (BEGIN IMMEDIATE), which keeps out
    every other writer.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": int(lock)})
