"""Checks that the servers on this database serve the model that it desires."""

import asyncio

from understudy.doctor.finding import Finding
from understudy.registry.database.database import Database
from understudy.registry.deployment import desired_state, replicas
from understudy.registry.deployment.replicas import ReplicaReport
from understudy.settings import Settings

_MARGIN_SECONDS = 1.0


async def check(settings: Settings, database: Database) -> list[Finding]:
    """Find the servers that serve another model at two looks, two polls apart: after one look a server may follow."""
    if not await _find_disagreeing(database):
        return []
    await asyncio.sleep(2 * settings.poll_seconds + _MARGIN_SECONDS)
    return [_build_finding(each, desired) for each, desired in await _find_disagreeing(database)]


async def _find_disagreeing(database: Database) -> list[tuple[ReplicaReport, str]]:
    async with database.read() as session:
        poll = await desired_state.poll(session)
        reports = await replicas.list_running(session)
    desired = f"model {poll.active_model_id}, generation {poll.generation}"
    wanted = (poll.active_model_id, poll.generation if poll.active_model_id is not None else None)
    return [(each, desired) for each in reports if (each.model_id, each.generation) != wanted]


def _build_finding(report: ReplicaReport, desired: str) -> Finding:
    has = "no model" if report.model_id is None else f"model {report.model_id}, generation {report.generation}"
    reason = f": {report.error.get('detail')}" if report.error else "."
    remedy = str(report.error.get("remedy")) if report.error else "Read the log of that server, or restart it."
    return Finding(
        "server_disagrees", report.replica, f"It serves {has}; the database desires {desired}{reason}", remedy
    )
