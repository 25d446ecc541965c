"""A process polls when it should, and reports in between."""

import asyncio
from typing import Any

import pytest

from tests.postgres import only_sqlite
from tests.serving.conftest import Opener, Register
from understudy.container import Services
from understudy.errors import WarmUpFailed
from understudy.registry.deployment.replicas import ReplicaReport
from understudy.serving.sync import poll_loop, reconciler, replica_reporter
from understudy.serving.sync.live_model import LoadedModel

pytestmark = pytest.mark.anyio


@only_sqlite
async def test_a_server_that_polls_seldom_reports_and_tries_a_failed_load_again_meanwhile(
    services: Services, register: Register, open_process: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it counts as gone between two polls, and `wait=all` does not wait for it."""
    await services.activation.activate(await register("first"), "test")
    other = await open_process()
    other.reconciler.reporter.replica = "seldom:1"
    monkeypatch.setattr(other.poll_loop, "_settings", services.settings.model_copy(update={"poll_seconds": 3600.0}))
    monkeypatch.setattr(replica_reporter, "REPORT_SECONDS", 0.01)
    for module in (reconciler, poll_loop):
        monkeypatch.setattr(module, "FIRST_RETRY_SECONDS", 0.01)
    prepare, stored = other.reconciler._preparation.prepare_desired, asyncio.Event()
    loads, reports = 0, 0

    async def fail_once(*arguments: Any, **more: Any) -> LoadedModel:
        nonlocal loads
        loads += 1
        if loads == 1:
            raise WarmUpFailed("There is no memory for it.")
        return await prepare(*arguments, **more)

    store = other.reconciler.reporter._store

    async def count(report: ReplicaReport) -> None:
        nonlocal reports
        await store(report)
        reports += report.state == "live"
        if reports == 3:
            stored.set()

    monkeypatch.setattr(other.reconciler._preparation, "prepare_desired", fail_once)
    monkeypatch.setattr(other.reconciler.reporter, "_store", count)

    async def publish_nothing() -> None:
        pass

    following = asyncio.create_task(other.poll_loop.run(publish_nothing))
    try:
        async with asyncio.timeout(30):
            await stored.wait()
    finally:
        following.cancel()
    assert loads == 2
