"""Each server on a database is listed with what it serves, and how long it took to follow."""

import asyncio
from datetime import datetime
from itertools import pairwise
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from tests.fault_points import act_at
from tests.postgres import only_sqlite
from tests.serving.conftest import Opener, Register
from understudy.container import Services
from understudy.errors import WarmUpFailed
from understudy.registry.deployment import replicas
from understudy.registry.deployment.replicas import Moment
from understudy.schemas.server.status import ReplicaStatus
from understudy.serving.sync import replica_reporter

pytestmark = pytest.mark.anyio


async def find_report(services: Services) -> ReplicaStatus:
    reports = (await services.replica_reports.list()).replicas
    return next(each for each in reports if each.replica == services.reconciler.reporter.replica)


async def test_a_server_is_listed_with_its_model_and_the_time_that_it_took(
    services: Services, register: Register, open_process: Opener
) -> None:
    other = await open_process()
    services.reconciler.reporter.replica, other.reconciler.reporter.replica = "first.example:11", "second.example:22"
    for each in (services, other):
        await each.reconciler.poll_once()
    empty = await find_report(other)
    assert (empty.state, empty.model_id, empty.generation, empty.desired_generation) == ("empty", None, None, 0)
    assert (empty.load_seconds, empty.lag_seconds) == (None, None)
    model = await register("first")
    live = (await services.activation.activate(model, "test")).live
    for each in (other, services):
        await each.reconciler.poll_once()
    committed, follower = await find_report(services), await find_report(other)
    for report, host, process_id in ((committed, "first.example", 11), (follower, "second.example", 22)):
        assert (report.host, report.process_id) == (host, process_id)
        assert (report.state, report.model_id, report.digest) == ("live", model, live.model.identity.digest)
        assert (report.generation, report.desired_generation) == (live.generation, live.generation)
        assert report.load_seconds is not None
        assert report.load_seconds > 0
    assert committed.lag_seconds is not None
    assert follower.lag_seconds is not None
    assert 0 <= committed.lag_seconds <= follower.lag_seconds < 60
    assert (await services.status_reporter.status()).replicas == (committed, follower)


@only_sqlite
async def test_a_server_that_started_after_the_commit_has_no_lag(
    services: Services, register: Register, open_process: Opener
) -> None:
    await services.activation.activate(await register("first"), "test")
    late = await open_process()
    late.reconciler.reporter.replica = "late:1"
    await late.reconciler.poll_once()
    report = await find_report(late)
    assert (report.state, report.lag_seconds) == ("live", None)
    assert report.load_seconds is not None


@only_sqlite
async def test_a_long_load_is_reported_while_it_lasts(
    services: Services, register: Register, open_process: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a server that compiles for longer than half a minute counts as gone, and a rollout as complete."""
    monkeypatch.setattr(replica_reporter, "VISIBLE_SECONDS", 0.0)
    other = await open_process()
    other.reconciler.reporter.replica = "other:1"
    first, second = await register("first"), await register("second", 1)
    await services.activation.activate(first, "test")
    await other.reconciler.poll_once()
    await services.activation.activate(second, "test")
    seen: list[ReplicaStatus] = []

    async def wait_until_reported() -> None:
        async with asyncio.timeout(30):
            while (report := await find_report(other)).state != "loading":
                await asyncio.sleep(0.01)
        seen.append(report)

    act_at(monkeypatch, other.reconciler._preparation, "prepare_desired", wait_until_reported, when="before")
    await other.reconciler.poll_once()
    [report] = seen
    assert (report.model_id, report.generation, report.desired_generation, report.error) == (first, 1, 2, None)
    after = await find_report(other)
    assert (after.state, after.model_id, after.generation) == ("live", second, 2)


@only_sqlite
async def test_the_last_error_is_reported_while_the_model_is_loaded_again(
    services: Services, register: Register, open_process: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica_reporter, "VISIBLE_SECONDS", 0.0)
    monkeypatch.setattr(replica_reporter, "REPORT_SECONDS", 0.0)
    other = await open_process()
    other.reconciler.reporter.replica = "other:1"
    await other.reconciler.poll_once()
    await services.activation.activate(await register("first"), "test")
    times: list[datetime] = []

    async def fail(*_: object) -> None:
        if times:
            async with asyncio.timeout(30):
                while (report := await find_report(other)).seen_at <= times[-1]:
                    await asyncio.sleep(0.01)
            assert (report.state, report.error and report.error.code) == ("failed", "warm_up_failed")
        raise WarmUpFailed("No memory.")

    monkeypatch.setattr(other.reconciler._preparation, "prepare_desired", fail)
    for _ in range(2):
        other.reconciler._retry_at = 0.0
        await other.reconciler.poll_once()
        times.append((await find_report(other)).seen_at)
    assert times[0] < times[1]


@only_sqlite
async def test_servers_that_followed_together_report_at_moments_of_their_own_from_then_on(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a thousand of them write their reports at once, every ten seconds."""
    now, due = 1000.0, []
    monkeypatch.setattr(replica_reporter, "time", SimpleNamespace(monotonic=lambda: now))
    for number in range(20):
        reporter = replica_reporter.ReplicaReporter(services.database)
        reporter.replica = f"host:{number}"
        await reporter.report(None, None, None, since_start=True, loading=False)
        due.append(reporter._due_at - now)
    assert 8 <= min(due) < max(due) <= 10
    assert len(set(due)) == len(due)


@only_sqlite
async def test_old_reports_are_deleted_at_the_start_and_every_few_minutes(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, deleted = 1000.0, []
    monkeypatch.setattr(replica_reporter, "time", SimpleNamespace(monotonic=lambda: now))
    delete_unseen = replicas.delete_unseen

    async def record(session: AsyncSession, *, since: Moment) -> None:
        deleted.append(now)
        await delete_unseen(session, since=since)

    monkeypatch.setattr(replicas, "delete_unseen", record)
    reporter = replica_reporter.ReplicaReporter(services.database)
    for second in range(0, 620, 10):
        now = 1000.0 + second
        await reporter.report(None, None, None, since_start=True, loading=False)
    assert len(deleted) == 3
    assert all(240 <= after - before <= 310 for before, after in pairwise(deleted))


async def test_a_server_that_was_killed_is_left_out_after_half_a_minute(services: Services) -> None:
    services.reconciler.reporter.replica = "killed:1"
    await services.reconciler.poll_once()
    assert [each.replica for each in (await services.replica_reports.list()).replicas] == ["killed:1"]
    async with services.database.write() as session:
        await session.execute(text("UPDATE understudy_replicas SET seen_at = '2020-01-01 00:00:00'"))
    assert (await services.replica_reports.list()).replicas == ()
    assert (await services.status_reporter.status()).replicas == ()
