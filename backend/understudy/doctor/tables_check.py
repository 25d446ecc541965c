"""Checks the tables: the documented one with its index and constraints, one active row, Understudy's own tables."""

from sqlalchemy import inspect

from understudy.doctor.finding import Finding, FindingState
from understudy.errors import Misconfigured
from understudy.migrations import Repair, TableFinding
from understudy.migrations.adoption.table_finding import AdoptionOutcome
from understudy.models import Deployment
from understudy.registry import schema
from understudy.registry.database.database import Database
from understudy.registry.deployment import desired_state

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
            restored = await _check_deployment_row(database, fix=True)
            repaired = await schema.repair_tables(database, repair)
            return [*restored, *(_to_finding(database, each) for each in repaired)]
        found = [_to_finding(database, each) for each in await database.examine_tables()]
        return found if _is_unmigrated(found) else [*found, *await _check_deployment_row(database, fix=False)]
    except Misconfigured as error:
        return [Finding(error.code, database.address, error.detail, error.remedy)]


def _is_unmigrated(found: list[Finding]) -> bool:
    return any(each.code == "not_migrated" for each in found)


def _to_finding(database: Database, found: TableFinding) -> Finding:
    remedy = found.remedy or _REMEDIES.get(found.code, "Repair it: understudy doctor --fix")
    return Finding(found.code, database.address, found.detail, remedy, _STATES[found.outcome])


async def _check_deployment_row(database: Database, *, fix: bool) -> list[Finding]:
    """Check the one row that counts the generations: without it no server can follow an activation."""
    finding = Finding(
        "stage_row_missing",
        database.address,
        "The row of understudy_stage is missing, so that no server can follow an activation.",
        "Insert it again: understudy doctor --fix",
    )
    begin = database.write if fix else database.read
    async with begin(seconds=database.long_seconds) as session:
        connection = await session.connection()
        if not await connection.run_sync(lambda bare: inspect(bare).has_table(Deployment.__tablename__)):
            return []
        if fix:
            return [finding.as_fixed()] if await desired_state.restore_row(session) else []
        return [] if await desired_state.has_row(session) else [finding]
