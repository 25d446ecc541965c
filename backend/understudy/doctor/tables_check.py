"""The schema: the documented table with its index and checks, one active row, and Understudy's own tables."""

from sqlalchemy import func, inspect, select

from understudy.doctor.finding import Finding, FindingState
from understudy.errors import Misconfigured
from understudy.migrations import TableFinding
from understudy.migrations.adoption.table_finding import AdoptionOutcome
from understudy.models import Deployment, History, utc_now
from understudy.registry import schema
from understudy.registry.database.database import Database

_STATES = {
    AdoptionOutcome.REPAIRED: FindingState.FIXED,
    AdoptionOutcome.NOTED: FindingState.NOTED,
    AdoptionOutcome.OPEN: FindingState.OPEN,
}
_BY_HAND = {
    "name_repeated": "Rename all but one: understudy update MODEL_ID --name NAME",
    "accuracy_outside": "Correct them: understudy update MODEL_ID --accuracy 0.9",
}


async def look(database: Database, *, fix: bool) -> list[Finding]:
    """What differs from the schema. Raises DatabaseUnavailable."""
    try:
        if fix:
            row = await _stage_row(database, fix=True)
            adoption = await schema.migrate(database)
            return [*row, *(_shown(database, each) for each in (*adoption.findings, *await schema.repair(database)))]
        found = [_shown(database, each) for each in await database.examine_tables()]
        return found if _unmigrated(found) else [*found, *await _stage_row(database, fix=False)]
    except Misconfigured as error:
        return [Finding("table_unusable", database.address, error.detail, error.remedy)]


def _unmigrated(found: list[Finding]) -> bool:
    return any(each.code == "not_migrated" for each in found)


def _shown(database: Database, found: TableFinding) -> Finding:
    remedy = _BY_HAND.get(found.code, "Repair it: understudy doctor --fix")
    return Finding(found.code, database.address, found.detail, remedy, _STATES[found.outcome])


async def _stage_row(database: Database, *, fix: bool) -> list[Finding]:
    """The one row that counts the generations, without which no process can follow."""
    async with database.write() as session:
        connection = await session.connection()
        if not await connection.run_sync(lambda bare: inspect(bare).has_table(Deployment.__tablename__)):
            return []
        if await session.scalar(select(func.count()).select_from(Deployment)):
            return []
        finding = Finding(
            "stage_row_missing",
            database.address,
            "The row of understudy_stage is missing, so that no server can follow an activation.",
            "Put it back: understudy doctor --fix",
        )
        if not fix:
            return [finding]
        reached = await session.scalar(select(func.max(History.generation)))
        session.add(Deployment(stage_id=1, generation=reached or 0, model_id=None, changed_at=utc_now()))
    return [finding.fixed()]
