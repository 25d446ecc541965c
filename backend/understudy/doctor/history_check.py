"""Checks that no entry of the history was changed, removed or inserted."""

from understudy.doctor.finding import Finding, FindingState
from understudy.registry.database.database import Database
from understudy.registry.models.history.chain_audit import audit

_REMEDY = (
    "Nothing can undo that. Compare the history with an export that was kept elsewhere: docs/history.md says how, and "
    "what an administrator of the database can do unseen. An admin accepts the break with a reason, so that later ones "
    'are noticed: understudy history accept --reason "WHY"'
)
_NO_REMEDY = "Nothing: an entry of the event `accepted` says by whom and why."


async def check(database: Database) -> list[Finding]:
    """Return the first fault of the chain that nobody accepted, and each accepted one as noted."""
    async with database.read(seconds=database.long_seconds) as session:
        report = await audit(session)
    noted = [
        Finding("history_break_accepted", database.address, each.text, _NO_REMEDY, FindingState.NOTED)
        for each in report.accepted
    ]
    if report.fault is None:
        return noted
    return [Finding("history_changed", database.address, report.fault, _REMEDY), *noted]
