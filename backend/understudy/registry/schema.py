"""Brings the tables up to date and lets the desired state follow them."""

from understudy.migrations import ADD_ONLY, AdoptionReport, Repair, TableFinding
from understudy.registry.database.database import Database
from understudy.registry.deployment import desired_state


async def migrate(database: Database, repair: Repair = ADD_ONLY) -> AdoptionReport:
    """Bring the tables to the newest revision, adopt a hand-made `ml_models`, and follow the row that is active in it.

    Rows of `ml_models` are changed only as `repair` asks. Several processes may call it at once: one works, the others
    wait and find it done.

    Raises DatabaseUnavailable, Misconfigured when the database is newer than this program, TableRefused when
    `ml_models` cannot be adopted, and SeveralActive. After an error nothing was changed.
    """
    report = await database.upgrade_tables(repair)
    await _follow_active_row(database)
    return report


async def repair_tables(database: Database, repair: Repair) -> tuple[TableFinding, ...]:
    """Migrate, and repair what `Database.examine_tables` finds as far as `repair` allows.

    Raises what `migrate` raises.
    """
    findings = await database.repair_tables(repair)
    await _follow_active_row(database)
    return findings


async def _follow_active_row(database: Database) -> None:
    async with database.write() as session:
        await desired_state.reconcile(session)
