"""Reads the revision of a database without Alembic, which a server on an up-to-date database never imports."""

from sqlalchemy import Connection, column, inspect, select, table

from understudy.errors import Misconfigured

VERSION_TABLE = "understudy_version"
NEWEST = "0012"

_VERSION = table(VERSION_TABLE, column("version_num"))


def read_revision(connection: Connection) -> str | None:
    """Return the recorded revision, or None for a database without tables of Understudy."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(select(_VERSION.c.version_num)).scalar()


def is_newer(revision: str) -> bool:
    """True for a revision of a later version; revisions are numbers of four digits."""
    return revision > NEWEST


def build_unknown_revision(revision: str | None, reason: str) -> Misconfigured:
    """Return the error for a database that a later version wrote."""
    return Misconfigured(
        f"The database's schema ({revision}) is unknown to this version ({NEWEST}): {reason}",
        remedy="Install the version of Understudy that wrote this database, or a newer one.",
    )
