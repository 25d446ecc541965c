"""Runs Alembic's revisions on an open connection."""

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from understudy.migrations.adoption.table_finding import Repair, TableFinding
from understudy.migrations.revision import build_unknown_revision


def upgrade_to_newest(
    connection: Connection, before: str | None, repair: Repair
) -> tuple[bool, tuple[TableFinding, ...]]:
    """Run the revisions from `before` to the newest; return whether an `ml_models` was adopted, and its findings.

    Raises Misconfigured when the database was written by a newer version, TableRefused when `ml_models` cannot be
    adopted, and SeveralActive.
    """
    config = Config()
    config.set_main_option("script_location", "understudy:migrations")
    config.attributes |= {"connection": connection, "repair": repair}
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise build_unknown_revision(before, str(error)) from error
    return config.attributes.get("adopted", False), config.attributes.get("findings", ())
