"""Runs blocking work on worker threads, so that the event loop never blocks."""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from understudy.inference.runtime.memory import release_memory

# Each helper needs the memory of one more run of a graph.
MOST_HELPERS = 3
_HELPER_NICENESS = 10

P = ParamSpec("P")
T = TypeVar("T")


class WorkerPool:
    """`threads` inference threads, one loading thread, and helpers, which the inference threads use.

    Use one inference thread for each core: eight threads on two cores answer a third fewer short clips. A swap loads on
    the loading thread, so it takes no inference thread away.
    """

    def __init__(self, threads: int) -> None:
        self._inference = ThreadPoolExecutor(threads, thread_name_prefix="inference")
        self._loading = ThreadPoolExecutor(1, thread_name_prefix="loading")
        self.helpers = ThreadPoolExecutor(MOST_HELPERS, thread_name_prefix="helper", initializer=_yield_cores)
        self.threads = threads
        self._under_way = 0

    @property
    def waiting(self) -> int:
        """Number of tasks that wait for an inference thread."""
        return max(0, self._under_way - self.threads)

    def submit(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Queue `work` for an inference thread and return its future."""
        self._under_way += 1
        run = asyncio.get_running_loop().run_in_executor(self._inference, partial(work, *args, **kwargs))
        run.add_done_callback(self._count_end)
        return run

    async def infer(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> tuple[T, float]:
        """Run `work` on an inference thread; return its result and the milliseconds that it waited for the thread."""
        queued = time.perf_counter()

        def run_timed() -> tuple[T, float]:
            waited = (time.perf_counter() - queued) * 1e3
            return work(*args, **kwargs), waited

        return await self.submit(run_timed)

    async def load(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` on the loading thread, then return the memory that it freed to the system."""

        def run_and_release() -> T:
            try:
                return work(*args, **kwargs)
            finally:
                release_memory()

        return await asyncio.get_running_loop().run_in_executor(self._loading, run_and_release)

    def close(self) -> None:
        """Wait for running work and cancel queued work."""
        self._inference.shutdown(cancel_futures=True)
        self.helpers.shutdown(cancel_futures=True)
        self._loading.shutdown(cancel_futures=True)

    def _count_end(self, _: object) -> None:
        self._under_way -= 1


def _yield_cores() -> None:
    """Let other threads go first: a request may come to a worker whose core this thread uses."""
    if sys.platform == "linux":  # where this holds for one thread
        os.nice(_HELPER_NICENESS)
