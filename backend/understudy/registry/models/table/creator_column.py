"""Finds out whether `created_by_user_id` may hold the ids of Understudy's principals."""

from sqlalchemy import Connection, Integer, inspect
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.models import MlModel

_TABLE = MlModel.__tablename__
_COLUMN = "created_by_user_id"


class CreatorColumn:
    """Knows the column of this database: an adopted table's may be a UUID, or refer to another program's users."""

    def __init__(self) -> None:
        self._takes_our_ids: bool | None = None

    async def takes_our_ids(self, session: AsyncSession) -> bool:
        """Return whether the column holds integers that refer to no other table; the database is asked once."""
        if self._takes_our_ids is None:
            self._takes_our_ids = await (await session.connection()).run_sync(_examine)
        return self._takes_our_ids


def _examine(connection: Connection) -> bool:
    inspector = inspect(connection)
    if not inspector.has_table(_TABLE):
        return False
    types = {column["name"]: column["type"] for column in inspector.get_columns(_TABLE)}
    refers = any(_COLUMN in key["constrained_columns"] for key in inspector.get_foreign_keys(_TABLE))
    return isinstance(types.get(_COLUMN), Integer) and not refers
