"""Runs the revisions on an open connection; the caller holds the lock and commits."""

from dataclasses import dataclass

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect

from app.errors import Misconfigured
from app.migrations import adoption
from app.migrations.finding import TABLE, Finding, Outcome

VERSION_TABLE = "understudy_version"


@dataclass(frozen=True)
class AdoptionReport:
    """What `upgrade` met and did. Revisions are Alembic's; `None` means that there was none."""

    revision_before: str | None
    revision: str
    adopted: bool
    findings: tuple[Finding, ...]

    @property
    def changed(self) -> bool:
        return self.revision_before != self.revision


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "app:migrations")
    return config


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def upgrade(connection: Connection) -> AdoptionReport:
    """Bring the schema to the newest revision; an existing `ml_models` is adopted.

    Raises Misconfigured when the database was written by a newer version or `ml_models` cannot be adopted.
    """
    config = _config()
    newest = ScriptDirectory.from_config(config).get_current_head() or ""
    before = _revision(connection)
    if before != newest:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise Misconfigured(
                f"The database's schema ({before}) is not known to this version ({newest}): {error}",
                remedy="Run the version of Understudy that wrote this database, or a newer one.",
            ) from error
    return AdoptionReport(
        revision_before=before,
        revision=newest,
        adopted=config.attributes.get("adopted", False),
        findings=config.attributes.get("findings", ()),
    )


def examine(connection: Connection) -> tuple[Finding, ...]:
    """What differs from the documented table, without changing anything."""
    if not inspect(connection).has_table(TABLE) or _revision(connection) is None:
        return (Finding("not_migrated", "The tables do not exist yet; `understudy migrate` makes them.", Outcome.OPEN),)
    return adoption.examine(connection)


def repair(connection: Connection) -> tuple[Finding, ...]:
    """Repair what `examine` finds, as far as no data is lost by it; raises Misconfigured like `upgrade`."""
    upgrade(connection)
    return adoption.adopt(connection)
