"""Runs the revisions on an open connection; the caller holds the lock and commits."""

from dataclasses import dataclass

from sqlalchemy import Connection, inspect

from understudy.migrations.adoption import adoption
from understudy.migrations.adoption.api_roles import close_to_api_roles
from understudy.migrations.adoption.table_finding import TABLE, AdoptionOutcome, TableFinding
from understudy.migrations.revision import NEWEST, read_revision


@dataclass(frozen=True)
class AdoptionReport:
    """The result of `upgrade`. Revisions are Alembic's; `revision_before` is None for a database without tables."""

    revision_before: str | None
    revision: str
    adopted: bool
    findings: tuple[TableFinding, ...]

    @property
    def changed(self) -> bool:
        """True when the tables were upgraded."""
        return self.revision_before != self.revision


def upgrade(connection: Connection) -> AdoptionReport:
    """Bring the schema to the newest revision; an existing `ml_models` is adopted.

    Raises Misconfigured when the database was written by a newer version or `ml_models` cannot be adopted.
    """
    before = read_revision(connection)
    if before == NEWEST:
        return AdoptionReport(revision_before=before, revision=NEWEST, adopted=False, findings=())
    # Importing Alembic takes a tenth of a start, and most starts have nothing to upgrade.
    from understudy.migrations import alembic_run

    adopted, findings = alembic_run.upgrade_to_newest(connection, before)
    return AdoptionReport(revision_before=before, revision=NEWEST, adopted=adopted, findings=findings)


def examine(connection: Connection) -> tuple[TableFinding, ...]:
    """List the differences from the documented table; change nothing."""
    revision = read_revision(connection)
    if not inspect(connection).has_table(TABLE) or revision is None:
        return (
            TableFinding(
                "not_migrated", "The tables do not exist yet; `understudy migrate` creates them.", AdoptionOutcome.OPEN
            ),
        )
    if revision != NEWEST:
        detail = f"The tables have revision {revision}, not {NEWEST}; `understudy migrate` brings them up to date."
        return (TableFinding("not_migrated", detail, AdoptionOutcome.OPEN),)
    return (*adoption.examine(connection), *close_to_api_roles(connection, repair=False))


def repair(connection: Connection) -> tuple[TableFinding, ...]:
    """Repair what `examine` finds as far as no data is lost; raises Misconfigured like `upgrade`."""
    upgrade(connection)
    adopted = adoption.adopt(connection) + adoption.equip(connection)
    return (*adopted, *close_to_api_roles(connection, repair=True))
