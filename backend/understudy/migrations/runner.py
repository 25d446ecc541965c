"""Runs the revisions on an open connection; the caller holds the lock and commits."""

from dataclasses import dataclass

from sqlalchemy import Connection, inspect

from understudy.migrations.adoption import adoption
from understudy.migrations.adoption.table_finding import TABLE, AdoptionOutcome, TableFinding
from understudy.migrations.revision import NEWEST, current


@dataclass(frozen=True)
class AdoptionReport:
    """What `upgrade` met and did. Revisions are Alembic's; `None` means that there was none."""

    revision_before: str | None
    revision: str
    adopted: bool
    findings: tuple[TableFinding, ...]

    @property
    def changed(self) -> bool:
        return self.revision_before != self.revision


def upgrade(connection: Connection) -> AdoptionReport:
    """Bring the schema to the newest revision; an existing `ml_models` is adopted.

    Raises Misconfigured when the database was written by a newer version or `ml_models` cannot be adopted.
    """
    before = current(connection)
    if before == NEWEST:
        return AdoptionReport(revision_before=before, revision=NEWEST, adopted=False, findings=())
    from understudy.migrations import (
        alembic_run,  # Alembic costs a tenth of a start, and most starts have nothing to do
    )

    adopted, findings = alembic_run.upgrade_to_newest(connection, before)
    return AdoptionReport(revision_before=before, revision=NEWEST, adopted=adopted, findings=findings)


def examine(connection: Connection) -> tuple[TableFinding, ...]:
    """What differs from the documented table, without changing anything."""
    revision = current(connection)
    if not inspect(connection).has_table(TABLE) or revision is None:
        return (
            TableFinding(
                "not_migrated", "The tables do not exist yet; `understudy migrate` makes them.", AdoptionOutcome.OPEN
            ),
        )
    if revision != NEWEST:
        detail = f"The tables are those of another version ({revision}); `understudy migrate` brings them up to date."
        return (TableFinding("not_migrated", detail, AdoptionOutcome.OPEN),)
    return adoption.examine(connection)


def repair(connection: Connection) -> tuple[TableFinding, ...]:
    """Repair what `examine` finds, as far as no data is lost by it; raises Misconfigured like `upgrade`."""
    upgrade(connection)
    return adoption.adopt(connection) + adoption.equip(connection)
