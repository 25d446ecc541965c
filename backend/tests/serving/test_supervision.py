"""A background task that dies is started again, counted and shown; readiness says which one is down."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from understudy.errors import BackgroundTaskDown
from understudy.serving import supervision
from understudy.serving.supervision import Supervisor
from understudy.serving.telemetry.counters import Counters

pytestmark = pytest.mark.anyio

Work = Callable[[], Awaitable[None]]


@asynccontextmanager
async def supervise(supervisor: Supervisor, work: Work, *, essential: bool) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(supervisor.keep_running("work", work, essential=essential))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until_down(supervisor: Supervisor) -> None:
    async with asyncio.timeout(10):
        while all(task.running for task in supervisor.list_status()):
            await asyncio.sleep(0)


class Dying:
    """Work that ends in `ways`, one after the other, and then goes on for ever."""

    def __init__(self, *ways: BaseException | None) -> None:
        self._ways = list(ways)
        self.steady = asyncio.Event()

    async def __call__(self) -> None:
        if not self._ways:
            self.steady.set()
            await asyncio.Event().wait()
        way = self._ways.pop(0)
        if way is not None:
            raise way


async def test_a_task_is_started_again_however_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "FIRST_PAUSE_SECONDS", 0.001)
    counters = Counters()
    supervisor = Supervisor(counters)
    work = Dying(RuntimeError("broken"), None, asyncio.CancelledError(), RecursionError("deep"))
    async with supervise(supervisor, work, essential=True), asyncio.timeout(10):
        await work.steady.wait()
        [status] = supervisor.list_status()
        assert (status.running, status.failures, status.reason) == (True, 4, "RecursionError: deep")
        assert supervisor.find_problem() is None
    assert counters.task_failures == {"work": 4}


@pytest.mark.parametrize("essential", [True, False])
async def test_a_task_that_is_down_is_named(essential: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "FIRST_PAUSE_SECONDS", 60.0)
    supervisor = Supervisor(Counters())
    async with supervise(supervisor, Dying(OSError("no disk")), essential=essential):
        await until_down(supervisor)
        [status] = supervisor.list_status()
        assert (status.running, status.failures, status.reason) == (False, 1, "OSError: no disk")
        problem, notes = supervisor.find_problem(), supervisor.list_notes()
        assert isinstance(problem, BackgroundTaskDown) == essential
        assert ["no disk" in note for note in notes] == ([] if essential else [True])


async def test_the_pause_doubles_up_to_a_limit_and_begins_anew_after_a_steady_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    again = asyncio.Event()

    async def note(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 9:
            monkeypatch.setattr(supervision, "_STEADY_SECONDS", 0.0)
        if len(pauses) == 10:
            again.set()
            await asyncio.Event().wait()

    monkeypatch.setattr(asyncio, "sleep", note)
    supervisor = Supervisor(Counters())
    async with supervise(supervisor, Dying(*[None] * 20), essential=False):
        await again.wait()
    assert pauses == [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 0.5]


async def test_cancelling_ends_a_task_for_good() -> None:
    supervisor, work = Supervisor(Counters()), Dying()
    async with supervise(supervisor, work, essential=True) as task:
        await work.steady.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


async def test_work_that_is_done_once_disappears_from_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "FIRST_PAUSE_SECONDS", 0.001)
    counters = Counters()
    supervisor = Supervisor(counters)
    await supervisor.run_once("sweep", Dying(OSError("at first"), None))
    assert supervisor.list_status() == ()
    assert counters.task_failures == {"sweep": 1}
