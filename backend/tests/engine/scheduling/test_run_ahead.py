"""A lone long clip uses the cores that nobody needs, and answers what it answers on one thread."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.engine.scheduling.conftest import RATE
from tests.postgres import only_sqlite
from understudy.engine.scheduling.scheduler import Scheduler
from understudy.engine.scheduling.step_watch import NoWatch
from understudy.engine.scheduling.worker_pool import WorkerPool
from understudy.errors import AudioUnusable, CannotServe
from understudy.inference.clip_input.batch_size import MAX_BATCH
from understudy.inference.pipeline.pipeline import Items, Pipeline, Scored, Steps

pytestmark = [pytest.mark.anyio, only_sqlite]

WAIT = 30.0
Score = Callable[[list[Items]], tuple[list[NDArray[np.float32]], float]]


class Watch(NoWatch):
    """Says how many cores are spare, and notes when a helper begins."""

    def __init__(self) -> None:
        self.cores = 1
        self.helped = threading.Event()

    @contextmanager
    def beside(self) -> Iterator[None]:
        self.helped.set()
        yield

    @property
    def spare_cores(self) -> int:
        return self.cores


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def sizes() -> list[int]:
    """The windows of each run."""
    return []


@pytest.fixture
def scheduler(watch: Watch, sizes: list[int]) -> Iterator[Scheduler]:
    pool = WorkerPool(1)
    yield Scheduler(pool, sizes.append, watch)
    pool.close()


def in_helper() -> bool:
    return threading.current_thread().name.startswith("helper")


def spoil(monkeypatch: pytest.MonkeyPatch, pipeline: Pipeline, spoiler: Callable[[Items], None]) -> None:
    """Call `spoiler` with the windows of each run before the run."""
    score: Score = pipeline.score

    def spoiled(requests: list[Items]) -> tuple[list[NDArray[np.float32]], float]:
        for items in requests:
            spoiler(items)
        return score(requests)

    monkeypatch.setattr(pipeline, "score", spoiled)


def long_clip(
    after_first: Callable[[], object] = bool, *, batches: int = 6, broken: bool = False
) -> Steps[list[list[float]]]:
    """Runs of random windows and a shorter one; `after_first` is called when the first is under way."""
    chance = np.random.default_rng(1)
    found: list[list[float]] = []
    unanswered = 0

    def take(scored: list[Scored] | tuple[Scored, ...]) -> int:
        found.extend(scores[:, 0].tolist() for scores, _ in scored)
        return len(scored)

    for number, count in enumerate([*[MAX_BATCH] * batches, 3]):
        if number == 1:
            after_first()
        if broken and number == batches:
            raise AudioUnusable("damaged")
        unanswered += 1
        unanswered -= take(tuple((yield list(chance.standard_normal((count, RATE)).astype(np.float32)))))
    while unanswered:
        unanswered -= take(tuple((yield [])))
    return found


@pytest.mark.parametrize("cores", [1, 3, 7])
async def test_scores_are_those_of_one_thread(
    scheduler: Scheduler, pipeline: Pipeline, watch: Watch, sizes: list[int], cores: int
) -> None:
    watch.cores = cores
    expected = await scheduler.run_clip(pipeline, long_clip())
    assert not watch.helped.is_set()
    scores = await scheduler.run_clip(pipeline, long_clip(lambda: watch.helped.wait(WAIT)), ahead=True)
    assert watch.helped.is_set()
    assert scores == expected
    assert sizes[:7] == sizes[7:] == [MAX_BATCH] * 6 + [3]


async def test_others_have_their_turn_when_the_cores_are_wanted(
    scheduler: Scheduler, pipeline: Pipeline, watch: Watch
) -> None:
    helped, go_on = watch.helped, threading.Event()

    def begin() -> None:
        assert helped.wait(WAIT)
        assert go_on.wait(WAIT)

    long = asyncio.create_task(scheduler.run_clip(pipeline, long_clip(begin, batches=200), ahead=True))
    assert await asyncio.to_thread(helped.wait, WAIT)
    short = asyncio.create_task(scheduler.run_clip(pipeline, long_clip(batches=0)))
    await asyncio.sleep(0)
    watch.cores = 0
    go_on.set()
    assert len(await short) == 1
    assert not long.done()
    assert len(await long) == 201


@pytest.mark.parametrize("error", [CannotServe("no memory"), MemoryError()])
async def test_run_that_fails_beside_others_is_run_again_alone(
    scheduler: Scheduler, pipeline: Pipeline, watch: Watch, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    expected = await scheduler.run_clip(pipeline, long_clip())

    def fail(_: Items) -> None:
        if in_helper():
            raise error

    spoil(monkeypatch, pipeline, fail)
    scores = await scheduler.run_clip(pipeline, long_clip(lambda: watch.helped.wait(WAIT)), ahead=True)
    assert scores == expected


async def test_helper_that_is_late_is_not_waited_for(
    scheduler: Scheduler, pipeline: Pipeline, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = await scheduler.run_clip(pipeline, long_clip())
    release = threading.Event()

    def block(_: Items) -> None:
        assert not in_helper() or release.wait(WAIT)

    spoil(monkeypatch, pipeline, block)
    try:
        steps = long_clip(lambda: watch.helped.wait(WAIT))
        async with asyncio.timeout(WAIT / 2):
            assert await scheduler.run_clip(pipeline, steps, ahead=True) == expected
    finally:
        release.set()


@pytest.mark.parametrize("cores", [0, 1])
async def test_error_of_a_run_comes_before_that_of_later_sound(
    scheduler: Scheduler, pipeline: Pipeline, watch: Watch, monkeypatch: pytest.MonkeyPatch, cores: int
) -> None:
    watch.cores = cores

    def fail(_: Items) -> None:
        raise CannotServe("the model fails")

    spoil(monkeypatch, pipeline, fail)
    with pytest.raises(CannotServe, match="the model fails"):
        await scheduler.run_clip(pipeline, long_clip(batches=1, broken=True), ahead=True)
    monkeypatch.undo()
    with pytest.raises(AudioUnusable, match="damaged"):
        await scheduler.run_clip(pipeline, long_clip(batches=1, broken=True), ahead=True)


async def test_client_that_goes_away_ends_the_clip(
    scheduler: Scheduler, pipeline: Pipeline, watch: Watch, sizes: list[int]
) -> None:
    gone = threading.Event()
    clip = asyncio.create_task(
        scheduler.run_clip(pipeline, long_clip(lambda: gone.wait(WAIT), batches=3_000), ahead=True)
    )
    assert await asyncio.to_thread(watch.helped.wait, WAIT)
    clip.cancel()
    await asyncio.sleep(0)
    gone.set()
    assert len(await scheduler.run_clip(pipeline, long_clip(batches=0))) == 1
    assert len(sizes) < 100
