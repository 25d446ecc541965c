"""Checks the tables: the documented one with its index and constraints, one active row, Understudy's own tables."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import inspect
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.doctor.finding import Finding, FindingState
from understudy.errors import Misconfigured
from understudy.migrations import Repair, TableFinding
from understudy.migrations.adoption.table_finding import AdoptionOutcome
from understudy.models import Deployment, HistoryHead
from understudy.registry import schema
from understudy.registry.database.database import Database
from understudy.registry.deployment import desired_state
from understudy.registry.models.history import model_history


@dataclass(frozen=True)
class _SingleRow:
    """A table with one row: the finding where that row is missing, and what inserts it."""

    table: str
    code: str
    what: str
    is_present: Callable[[AsyncSession], Awaitable[bool]]
    restore: Callable[[AsyncSession], Awaitable[bool]]


_SINGLE_ROWS = (
    _SingleRow(
        HistoryHead.__tablename__,
        "history_head_missing",
        "The row of understudy_history_head is missing: nothing can be added to the history, and whether its end was "
        "removed cannot be seen.",
        model_history.has_head,
        model_history.restore_head,
    ),
    _SingleRow(
        Deployment.__tablename__,
        "stage_row_missing",
        "The row of understudy_stage is missing, so that no server can follow an activation.",
        desired_state.has_row,
        desired_state.restore_row,
    ),
)

_STATES = {
    AdoptionOutcome.REPAIRED: FindingState.FIXED,
    AdoptionOutcome.NOTED: FindingState.NOTED,
    AdoptionOutcome.OPEN: FindingState.OPEN,
}
_REMEDIES = {
    "ml_models_open": "Run that SQL as the owner of the table, such as in Supabase's SQL editor.",
    "name_repeated": "Rename all but one: understudy update MODEL_ID --name NAME",
    "accuracy_outside": "Correct them: understudy update MODEL_ID --accuracy 0.9",
}


async def check(database: Database, repair: Repair | None) -> list[Finding]:
    """Find differences from the documented schema, and repair them as far as `repair` allows.

    Raises DatabaseUnavailable, and RequestInvalid when `repair` keeps a row active that is not.
    """
    try:
        if repair is not None:
            restored = await _check_single_rows(database, fix=True)
            repaired = await schema.repair_tables(database, repair)
            return [*restored, *(_to_finding(database, each) for each in repaired)]
        found = [_to_finding(database, each) for each in await database.examine_tables()]
        return found if _is_unmigrated(found) else [*found, *await _check_single_rows(database, fix=False)]
    except Misconfigured as error:
        return [Finding(error.code, database.address, error.detail, error.remedy)]


def _is_unmigrated(found: list[Finding]) -> bool:
    return any(each.code == "not_migrated" for each in found)


def _to_finding(database: Database, found: TableFinding) -> Finding:
    remedy = found.remedy or _REMEDIES.get(found.code, "Repair it: understudy doctor --fix")
    return Finding(found.code, database.address, found.detail, remedy, _STATES[found.outcome])


async def _check_single_rows(database: Database, *, fix: bool) -> list[Finding]:
    """Check the rows of which there is one each, and without which nothing can be switched or recorded."""
    found = []
    begin = database.write if fix else database.read
    async with begin(seconds=database.long_seconds) as session:
        connection = await session.connection()
        present = set(await connection.run_sync(lambda bare: inspect(bare).get_table_names()))
        for row in _SINGLE_ROWS:
            if row.table not in present:
                continue
            finding = Finding(row.code, database.address, row.what, "Insert it again: understudy doctor --fix")
            if fix and await row.restore(session):
                found.append(finding.as_fixed())
            elif not fix and not await row.is_present(session):
                found.append(finding)
    return found
