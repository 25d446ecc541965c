"""Brings the tables up to date and lets the desired state follow them."""

from understudy.migrations import AdoptionReport, TableFinding
from understudy.registry.database.database import Database
from understudy.registry.deployment import desired_state


async def migrate(database: Database) -> AdoptionReport:
    """Bring the tables to the newest revision, adopt a hand-made `ml_models`, and follow the row that is active in it.

    Several processes may call it at once: one works, the others wait and find it done. Raises DatabaseUnavailable, and
    Misconfigured when the database is newer than this program or `ml_models` cannot be adopted.
    """
    report = await database.upgrade_tables()
    await _follow_active_row(database)
    return report


async def repair(database: Database) -> tuple[TableFinding, ...]:
    """Repair what `Database.examine_tables` finds as far as no data is lost. Raises what `migrate` raises."""
    findings = await database.repair_tables()
    await _follow_active_row(database)
    return findings


async def _follow_active_row(database: Database) -> None:
    async with database.write() as session:
        await desired_state.reconcile(session)
