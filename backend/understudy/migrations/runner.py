"""Runs the revisions on an open connection; the caller holds the lock and commits."""

from dataclasses import dataclass

from sqlalchemy import Connection, inspect

from understudy.errors import DatabaseNotReady, SeveralActive, TableRefused
from understudy.migrations.adoption import adoption
from understudy.migrations.adoption.api_roles import close_to_api_roles
from understudy.migrations.adoption.ownership import prefer_schema_of_table, refuse_foreign_owner
from understudy.migrations.adoption.repairs.active_index import refuse_tenant_index
from understudy.migrations.adoption.repairs.active_rows import refuse_several_active
from understudy.migrations.adoption.suitability import refuse_unreadable, refuse_unusable, refuse_unwritable
from understudy.migrations.adoption.table_finding import ADD_ONLY, TABLE, AdoptionOutcome, Repair, TableFinding
from understudy.migrations.revision import NEWEST, build_unknown_revision, is_newer, read_revision


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


def require_newest(connection: Connection) -> None:
    """Check that the tables can be read as they are; write nothing.

    Raises DatabaseNotReady with what is there instead, TableRefused for an `ml_models` that hides rows, and
    Misconfigured when the database was written by a newer version.
    """
    revision = read_revision(connection)
    if revision is not None and is_newer(revision):
        raise build_unknown_revision(revision, "a later version wrote it.")
    if revision != NEWEST:
        raise DatabaseNotReady(_describe_unmigrated(connection, revision))
    refuse_unreadable(connection)


def _describe_unmigrated(connection: Connection, revision: str | None) -> str:
    if revision is not None:
        return f"The tables have revision {revision}; this version needs {NEWEST}. Nothing was changed."
    if inspect(connection).has_table(TABLE):
        return "The database has a table ml_models, which Understudy has not adopted yet. Nothing was changed."
    return "The database has no table ml_models. Nothing was changed."


def upgrade(connection: Connection, repair: Repair = ADD_ONLY) -> AdoptionReport:
    """Bring the schema to the newest revision; an existing `ml_models` is adopted.

    Raises Misconfigured when the database was written by a newer version, TableRefused when `ml_models` cannot be
    adopted, and SeveralActive. Then nothing was changed.
    """
    before = read_revision(connection)
    if before == NEWEST:
        refuse_unwritable(connection)
        return AdoptionReport(revision_before=before, revision=NEWEST, adopted=False, findings=())
    # Importing Alembic takes a tenth of a start, and most starts have nothing to upgrade.
    from understudy.migrations import alembic_run

    if before is None:
        refuse_unusable(connection)
        refuse_foreign_owner(connection)
        prefer_schema_of_table(connection)
    adopted, findings = alembic_run.upgrade_to_newest(connection, before, repair)
    return AdoptionReport(revision_before=before, revision=NEWEST, adopted=adopted, findings=findings)


def examine(connection: Connection) -> tuple[TableFinding, ...]:
    """List the differences from the documented table, and what keeps it from being adopted; change nothing."""
    revision = read_revision(connection)
    if revision != NEWEST:
        detail = f"{_describe_unmigrated(connection, revision)} `understudy migrate` brings the tables up to date."
        remedy = "Bring the tables up to date: understudy migrate (`understudy serve` does it as well)"
        unmigrated = TableFinding("not_migrated", detail, AdoptionOutcome.OPEN, remedy)
        return (unmigrated, *_list_refusals(connection, revision))
    if refusals := _list_refusals(connection, revision):
        return refusals
    return (*adoption.examine(connection), *close_to_api_roles(connection, repair=False))


def _list_refusals(connection: Connection, revision: str | None) -> tuple[TableFinding, ...]:
    try:
        refuse_unusable(connection)
        if revision is None and inspect(connection).has_table(TABLE):
            refuse_tenant_index(connection)
            refuse_foreign_owner(connection)
            refuse_several_active(connection)
    except (TableRefused, SeveralActive) as error:
        return (TableFinding.from_refusal(error),)
    return ()


def repair_tables(connection: Connection, repair: Repair) -> tuple[TableFinding, ...]:
    """Repair what `examine` finds as far as `repair` allows; raises what `upgrade` raises."""
    found = upgrade(connection, repair).findings
    refuse_unusable(connection)
    found += adoption.adopt(connection, repair) + adoption.equip(connection)
    found += tuple(close_to_api_roles(connection, repair=True))
    return tuple(dict.fromkeys(found))  # a migration notes the same columns
