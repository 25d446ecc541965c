"""Checks that no entry of the history was changed, removed or inserted."""

from understudy.doctor.finding import Finding
from understudy.registry.database.database import Database
from understudy.registry.models.history_chain_audit import audit

_REMEDY = (
    "Nothing can undo that. Compare the history with an export that was kept elsewhere: docs/history.md says how, and "
    "what an administrator of the database can do unseen."
)


async def check(database: Database) -> list[Finding]:
    """Return the first fault of the chain."""
    async with database.read(seconds=database.long_seconds) as session:
        report = await audit(session)
    return [] if report.fault is None else [Finding("history_changed", database.address, report.fault, _REMEDY)]
