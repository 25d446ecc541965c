import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from tests.postgres import only_postgresql
from understudy.errors import CompileFailed, OperationNotFound
from understudy.registry.database import database_time
from understudy.registry.database.database import Database
from understudy.registry.database.database_time import build_now
from understudy.registry.deployment import operation_rows, replicas
from understudy.registry.deployment.replicas import ReplicaReport
from understudy.schemas.server.operation import Operation, OperationState, Step
from understudy.schemas.server.problem import Problem

pytestmark = pytest.mark.anyio

_NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def _report(replica: str, seen_at: datetime, state: str = "ready") -> ReplicaReport:
    return ReplicaReport(replica, 1, "0" * 64, 3, state, {"code": "warm_up_failed"}, seen_at.replace(tzinfo=None))


async def test_a_replica_replaces_its_report_and_is_forgotten_when_unseen(database: Database) -> None:
    async with database.write() as session:
        await replicas.save(session, _report("a", _NOW - timedelta(hours=1)))
        await replicas.save(session, _report("b", _NOW, "loading"))
    async with database.write() as session:
        await replicas.save(session, _report("b", _NOW))
    async with database.read() as session:
        assert await replicas.list_reports(session) == [_report("a", _NOW - timedelta(hours=1)), _report("b", _NOW)]
        assert await replicas.list_reports(session, since=_NOW) == [_report("b", _NOW)]
    async with database.write() as session:
        await replicas.delete_unseen(session, since=_NOW)
        await replicas.delete(session, "b")
    async with database.read() as session:
        assert await replicas.list_reports(session) == []


@only_postgresql
async def test_a_report_gets_the_databases_time_whatever_the_clocks_of_the_servers_say(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server whose clock is a minute late would else count as gone, and a rollout as complete."""
    monkeypatch.setattr(database_time, "utc_now", lambda: datetime(2020, 1, 1))  # noqa: DTZ001
    report = ReplicaReport("a", 1, "0" * 64, 3, "live", None)
    async with database.write() as session:
        stored_at = await replicas.save(session, report)
        now = await session.scalar(text("SELECT statement_timestamp() AT TIME ZONE 'UTC'"))
    assert stored_at is not None
    assert now is not None
    assert timedelta() <= now - stored_at < timedelta(seconds=10)
    async with database.write() as session:
        await replicas.delete_unseen(session, since=build_now(session, before=timedelta(seconds=30)))
        assert await replicas.save(session, report, earlier=stored_at) is not None
        assert await replicas.save(session, report, earlier=stored_at - timedelta(seconds=1)) is None
    async with database.read() as session:
        progress = await replicas.read_progress(session, 4)
        assert await replicas.list_running(session) == progress.behind
    assert [each.replica for each in progress.behind] == ["a"]
    assert timedelta() <= progress.read_at - stored_at < timedelta(seconds=10)


async def test_only_the_process_that_shuts_down_loses_its_report(database: Database) -> None:
    reports = [_report(name, _NOW) for name in "abc"]
    async with database.write() as session:
        for report in reports:
            await replicas.save(session, report)
    async with database.write() as session:
        await replicas.delete(session, "b")
    async with database.read() as session:
        assert await replicas.list_reports(session) == [reports[0], reports[2]]


async def test_a_report_as_old_as_the_limit_is_kept(database: Database) -> None:
    limit = _report("limit", _NOW)
    async with database.write() as session:
        await replicas.save(session, _report("before", _NOW - timedelta(seconds=1)))
        await replicas.save(session, limit)
    async with database.write() as session:
        await replicas.delete_unseen(session, since=_NOW)
    async with database.read() as session:
        assert await replicas.list_reports(session) == [limit]


@only_postgresql
async def test_old_reports_that_somebody_else_changes_are_left_to_them(database: Database) -> None:
    """Two servers that report after an outage would else wait for each other."""
    old = _NOW - timedelta(hours=1)
    async with database.write() as session:
        for name in "ab":
            await replicas.save(session, _report(name, old))
    async with asyncio.timeout(30), database.write() as reporting:
        await replicas.save(reporting, _report("a", _NOW))
        async with database.write() as cleaning:
            await replicas.delete_unseen(cleaning, since=_NOW)
    async with database.read() as session:
        assert await replicas.list_reports(session) == [_report("a", _NOW)]


async def test_only_servers_that_run_and_are_behind_are_read_during_a_rollout(database: Database) -> None:
    now = datetime.now(UTC)
    empty = replace(_report("empty", now), generation=None)
    async with database.write() as session:
        for report in (_report("followed", now), replace(_report("behind", now), generation=2), empty):
            await replicas.save(session, report)
        await replicas.save(session, replace(_report("killed", now - timedelta(minutes=1)), generation=1))
    async with database.read() as session:
        progress = await replicas.read_progress(session, 3)
    assert progress.running == 3
    assert [each.replica for each in progress.behind] == ["behind", "empty"]


def _operation(operation_id: str, started_at: datetime = _NOW) -> Operation:
    return Operation(
        operation_id=operation_id,
        kind="activate",
        model_id=1,
        state=OperationState.RUNNING,
        step=Step.VERIFY,
        progress=0.0,
        generation=None,
        error=None,
        started_at=started_at,
        updated_at=_NOW,
    )


async def test_operations_that_started_before_the_limit_are_deleted(database: Database) -> None:
    limit = _operation("limit")
    async with database.write() as session:
        await operation_rows.save(session, limit)
        await operation_rows.save(session, _operation("before", _NOW - timedelta(seconds=1)))
    async with database.write() as session:
        await operation_rows.delete_older(session, than=_NOW)
    async with database.read() as session:
        assert await operation_rows.get(session, "limit") == limit
        with pytest.raises(OperationNotFound, match=r"^There is no operation before\.$"):
            await operation_rows.get(session, "before")


async def test_an_operation_is_read_as_it_was_last_saved(database: Database) -> None:
    operation = _operation("one")
    ended = operation.model_copy(
        update={
            "state": OperationState.FAILED,
            "step": Step.COMPILE,
            "error": Problem.from_error(CompileFailed("It failed.")),
        }
    )
    for each in (operation, ended):
        async with database.write() as session:
            await operation_rows.save(session, each)
    async with database.read() as session:
        assert await operation_rows.get(session, "one") == ended
    async with database.write() as session:
        await operation_rows.delete_older(session, than=_NOW + timedelta(days=1))
    async with database.read() as session:
        with pytest.raises(OperationNotFound):
            await operation_rows.get(session, "one")
