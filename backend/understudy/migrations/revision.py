"""Which revision a database is at, read without Alembic: a server whose database is up to date never imports it."""

from sqlalchemy import Connection, column, inspect, select, table

VERSION_TABLE = "understudy_version"
NEWEST = "0003"

_VERSION = table(VERSION_TABLE, column("version_num"))


def current(connection: Connection) -> str | None:
    """The revision that is recorded; None where there is none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(select(_VERSION.c.version_num)).scalar()
