"""Servers on this database that do not serve what it desires."""

import asyncio
from datetime import UTC, datetime, timedelta

from understudy.doctor.finding import Finding
from understudy.registry.database.database import Database
from understudy.registry.deployment import desired_state, replicas
from understudy.registry.deployment.replicas import ReplicaReport
from understudy.settings import Settings

# Servers report at least this often; one that has not is gone.
_ALIVE = timedelta(seconds=30)
_PATIENCE_SECONDS = 1.0


async def look(settings: Settings, database: Database) -> list[Finding]:
    """Servers that disagree twice in a row: one that is only about to follow is none."""
    if not await _disagreeing(database):
        return []
    await asyncio.sleep(2 * settings.poll_seconds + _PATIENCE_SECONDS)
    return [_finding(each, desired) for each, desired in await _disagreeing(database)]


async def _disagreeing(database: Database) -> list[tuple[ReplicaReport, str]]:
    async with database.read() as session:
        poll = await desired_state.poll(session)
        reports = await replicas.list_reports(session, since=datetime.now(UTC) - _ALIVE)
    desired = f"model {poll.active_model_id}, generation {poll.generation}"
    wanted = (poll.active_model_id, poll.generation if poll.active_model_id is not None else None)
    return [(each, desired) for each in reports if (each.model_id, each.generation) != wanted]


def _finding(report: ReplicaReport, desired: str) -> Finding:
    has = "no model" if report.model_id is None else f"model {report.model_id}, generation {report.generation}"
    reason = f": {report.error.get('detail')}" if report.error else "."
    remedy = str(report.error.get("remedy")) if report.error else "Read that server's log, or start it again."
    return Finding("server_disagrees", report.replica, f"It serves {has}; desired is {desired}{reason}", remedy)
