"""Reads the revision of a database without Alembic, which a server on an up-to-date database never imports."""

from sqlalchemy import Connection, column, inspect, select, table

VERSION_TABLE = "understudy_version"
NEWEST = "0006"

_VERSION = table(VERSION_TABLE, column("version_num"))


def read_revision(connection: Connection) -> str | None:
    """Return the recorded revision, or None for a database without tables of Understudy."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(select(_VERSION.c.version_num)).scalar()
