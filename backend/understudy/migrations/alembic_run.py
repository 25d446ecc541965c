"""Runs Alembic's revisions on an open connection."""

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from understudy.errors import Misconfigured
from understudy.migrations.adoption.table_finding import TableFinding
from understudy.migrations.revision import NEWEST


def upgrade_to_newest(connection: Connection, before: str | None) -> tuple[bool, tuple[TableFinding, ...]]:
    """Run the revisions from `before` to the newest; return whether an `ml_models` was adopted, and its findings.

    Raises Misconfigured when the database was written by a newer version or `ml_models` cannot be adopted.
    """
    config = Config()
    config.set_main_option("script_location", "understudy:migrations")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise Misconfigured(
            f"The database's schema ({before}) is unknown to this version ({NEWEST}): {error}",
            remedy="Install the version of Understudy that wrote this database, or a newer one.",
        ) from error
    return config.attributes.get("adopted", False), config.attributes.get("findings", ())
