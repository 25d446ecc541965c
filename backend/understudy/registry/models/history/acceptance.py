"""Accepts breaks of the history's chain that nothing can undo, so that later ones are noticed."""

from understudy.errors import Conflict
from understudy.models import HistoryEvent
from understudy.registry.database.database import Database
from understudy.registry.models.history import model_history
from understudy.registry.models.history.chain_audit import MOST_FAULTS, ChainReport, audit

# An entry that is appended behind a removed end is what stands behind the gap from then on.
_MOST_ROUNDS = 3


async def accept_breaks(database: Database, reason: str, *, actor: str) -> ChainReport:
    """Record an entry that names every break that nobody accepted yet; return what the chain says then.

    The breaks stay, and stay visible. Raises Conflict where the chain is whole, and where it is broken in more places
    than an entry can name or cannot be continued.
    """
    report = await _look(database)
    if not report.faults:
        raise Conflict("The history has no break that nobody accepted.", remedy="There is nothing to do.")
    if len(report.faults) + len(report.accepted) >= MOST_FAULTS:
        raise Conflict(
            f"The history is broken in {MOST_FAULTS} places or more.",
            remedy="Export it, keep the file, and restore the database from a backup: docs/history.md.",
        )
    for _ in range(_MOST_ROUNDS):
        async with database.write(seconds=database.long_seconds) as session:
            await model_history.record(
                session,
                HistoryEvent.ACCEPTED,
                None,
                actor=actor,
                after={"faults": [each.fingerprint for each in report.faults]},
                detail=f"{reason} Accepted: {' '.join(each.text for each in report.faults)}",
            )
        report = await _look(database)
        if not report.faults:
            return report
    raise Conflict(f"The history is still broken: {report.fault}", remedy="Run `understudy doctor --fix`.")


async def _look(database: Database) -> ChainReport:
    async with database.read(seconds=database.long_seconds) as session:
        return await audit(session)
