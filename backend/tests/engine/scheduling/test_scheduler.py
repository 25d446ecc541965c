"""Clips share the worker threads and the runs of their model, and nothing else."""

import asyncio
import gc
import time
import weakref
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.engine.scheduling.conftest import RATE
from tests.postgres import only_sqlite
from understudy.engine.engine import Priority
from understudy.engine.scheduling.scheduler import TIME_SLICE_SECONDS, Scheduler
from understudy.engine.scheduling.worker_pool import WorkerPool
from understudy.errors import AudioUnusable
from understudy.inference.clip_input.batch_size import MAX_BATCH
from understudy.inference.pipeline.pipeline import Pipeline, Steps
from understudy.serving.telemetry.counters import Counters

# The scheduler knows no database.
pytestmark = [pytest.mark.anyio, only_sqlite]

Steady = Callable[..., Steps[list[float]]]


@pytest.fixture
def counters() -> Counters:
    return Counters()


@pytest.fixture
async def scheduler(counters: Counters) -> AsyncIterator[Scheduler]:
    pool = WorkerPool(1)
    yield Scheduler(pool, counters.batches.observe)
    pool.close()


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def steady(log: list[str]) -> Steady:
    """A clip of `rounds` times `windows` windows at one amplitude; gives the scores of its first label."""

    def steps(
        amplitude: float, windows: int = 2, rounds: int = 1, name: str = "", pause: float = 0.0
    ) -> Steps[list[float]]:
        scored: list[float] = []
        for number in range(rounds):
            log.append(f"{name} {number}")
            time.sleep(pause)
            items: list[NDArray[np.float32]] = [np.full(RATE, amplitude, np.float32) for _ in range(windows)]
            [(scores, seconds)] = yield items
            assert (scores.shape, seconds > 0) == ((windows, 2), True)
            scored += scores[:, 0].tolist()
        return scored

    return steps


async def test_clips_that_wait_share_runs_and_each_gets_its_own_scores(
    scheduler: Scheduler, pipeline: Pipeline, steady: Steady, counters: Counters
) -> None:
    clips = [(0.01 * number, 1 + number % 5) for number in range(40)]
    answers = await asyncio.gather(*(scheduler.run_clip(pipeline, steady(*clip)) for clip in clips))
    for (amplitude, windows), answer in zip(clips, answers, strict=True):
        assert answer == pytest.approx([amplitude**2] * windows, rel=1e-4)
    runs, windows_in_all = counters.batches.read()
    assert runs[-1][1] < len(clips)
    assert windows_in_all == sum(windows for _, windows in clips)
    assert dict(runs)[float(MAX_BATCH)] == runs[-1][1], "a run had more windows than it may"


async def test_long_clip_lets_those_that_wait_go_first(
    scheduler: Scheduler, pipeline: Pipeline, steady: Steady, log: list[str]
) -> None:
    long = asyncio.create_task(
        scheduler.run_clip(pipeline, steady(0.5, MAX_BATCH, 8, "long", pause=TIME_SLICE_SECONDS))
    )
    while not log:
        await asyncio.sleep(0.001)
    await asyncio.gather(*(scheduler.run_clip(pipeline, steady(0.1, name="short")) for _ in range(5)))
    assert not long.done()
    assert len(await long) == 8 * MAX_BATCH


async def test_a_broken_clip_lets_go_of_its_sound_without_a_garbage_collection(
    scheduler: Scheduler, pipeline: Pipeline
) -> None:
    """The future keeps the error, whose traceback keeps the frames, which keep the future."""
    kept: list[weakref.ref[NDArray[np.float32]]] = []

    def broken() -> Steps[list[float]]:
        sound = np.zeros(RATE, np.float32)
        kept.append(weakref.ref(sound))
        try:
            int("no frame")
        except ValueError as error:
            raise AudioUnusable("damaged") from error
        yield [sound]
        return []

    gc.collect()
    gc.disable()
    try:
        with pytest.raises(AudioUnusable, match="damaged"):
            await scheduler.run_clip(pipeline, broken())
        assert [each() is None for each in kept] == [True]
    finally:
        gc.enable()


async def test_clip_that_is_broken_fails_alone(scheduler: Scheduler, pipeline: Pipeline, steady: Steady) -> None:
    def broken() -> Steps[list[float]]:
        raise AudioUnusable("damaged")
        yield []

    answers = await asyncio.gather(
        *(scheduler.run_clip(pipeline, broken() if number == 3 else steady(0.5)) for number in range(6)),
        return_exceptions=True,
    )
    assert isinstance(answers.pop(3), AudioUnusable)
    assert answers == [pytest.approx([0.25, 0.25])] * 5


async def test_windows_that_cannot_be_scored_leave_the_other_clips_alone(
    scheduler: Scheduler, pipeline: Pipeline, steady: Steady
) -> None:
    amplitudes = [0.5, 0.5, float("nan"), 0.5, 0.5]
    answers = await asyncio.gather(*(scheduler.run_clip(pipeline, steady(amplitude)) for amplitude in amplitudes))
    assert np.isnan(answers.pop(2)).all()
    assert answers == [pytest.approx([0.25, 0.25])] * 4


async def test_clip_whose_client_went_away_is_not_begun(
    scheduler: Scheduler, pipeline: Pipeline, steady: Steady, log: list[str]
) -> None:
    tasks = [asyncio.create_task(scheduler.run_clip(pipeline, steady(0.5, name=str(number)))) for number in range(4)]
    await asyncio.sleep(0)
    tasks[2].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(answers[2], asyncio.CancelledError)
    assert "2 0" not in log
    assert len(log) == 3


async def test_long_clips_end_in_the_order_in_which_they_came(
    scheduler: Scheduler, pipeline: Pipeline, steady: Steady
) -> None:
    ended: list[int] = []

    async def run(number: int) -> None:
        await scheduler.run_clip(pipeline, steady(0.5, MAX_BATCH, 4, pause=TIME_SLICE_SECONDS / 2))
        ended.append(number)

    await asyncio.gather(*map(run, range(6)))
    assert ended == list(range(6))


async def test_work_of_a_higher_priority_begins_first(
    scheduler: Scheduler, pipeline: Pipeline, steady: Steady, log: list[str]
) -> None:
    first = asyncio.create_task(scheduler.run_clip(pipeline, steady(0.5, pause=0.01, name="first")))
    await asyncio.sleep(0)
    later = [
        scheduler.run_clip(pipeline, steady(0.5, name=priority.name), priority=priority, alone=True)
        for priority in sorted(Priority, reverse=True)
    ]
    await asyncio.gather(first, *later)
    assert log == ["first 0", *(f"{priority.name} 0" for priority in sorted(Priority))]
