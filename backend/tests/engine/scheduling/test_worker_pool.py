"""Blocking work runs on worker threads."""

import asyncio
import sys
import threading
from collections.abc import Iterator

import psutil
import pytest

from understudy.engine.scheduling.worker_pool import WorkerPool

pytestmark = pytest.mark.anyio


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    pool = WorkerPool(threads=2)
    yield pool
    pool.close()


async def test_inference_and_loading_run_on_threads_of_their_own(pool: WorkerPool) -> None:
    name, waited = await pool.infer(lambda: threading.current_thread().name)
    assert name.startswith("inference")
    assert waited >= 0
    assert (await pool.load(lambda: threading.current_thread().name)).startswith("loading")


async def test_loading_takes_no_inference_thread_away(pool: WorkerPool) -> None:
    release = threading.Event()
    loading = asyncio.create_task(pool.load(release.wait))
    both = threading.Barrier(2, timeout=30)
    await asyncio.gather(pool.infer(both.wait), pool.infer(both.wait))
    assert not loading.done()
    release.set()
    assert await loading


async def test_the_wait_for_a_thread_is_returned(pool: WorkerPool) -> None:
    gate = threading.Event()
    busy = [asyncio.create_task(pool.infer(gate.wait)) for _ in range(2)]
    waiting = asyncio.create_task(pool.infer(int))
    await asyncio.sleep(0)  # all are submitted
    await asyncio.sleep(0.05)
    gate.set()
    assert (await waiting)[1] >= 40
    await asyncio.gather(*busy)


async def test_an_error_reaches_the_caller(pool: WorkerPool) -> None:
    def fails() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await pool.infer(fails)


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc keeps what is freed, and has a call to return it")
async def test_what_a_load_freed_goes_back_to_the_system(pool: WorkerPool) -> None:
    """glibc keeps freed memory that lies below memory still in use, such as a graph's weights."""
    process = psutil.Process()

    def load() -> bytes:
        return [b"x" * size for size in range(60_000, 60_800)][-1]

    await pool.load(int)
    before = process.memory_info().rss
    kept = await pool.load(load)
    assert process.memory_info().rss - before < 25 << 20
    assert len(kept) == 60_799
