"""Worker threads for everything that decodes, computes or hashes, so that the event loop never does."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from understudy.inference.runtime.memory import release_memory

P = ParamSpec("P")
T = TypeVar("T")


class WorkerPool:
    """A bounded thread pool.

    Inference has one thread a core: eight threads on two cores lose a third on short clips. Loading has its own
    thread, so that a swap takes no inference worker away.
    """

    def __init__(self, threads: int) -> None:
        self._inference = ThreadPoolExecutor(threads, thread_name_prefix="inference")
        self._loading = ThreadPoolExecutor(1, thread_name_prefix="loading")
        self.threads = threads
        self._under_way = 0

    @property
    def waiting(self) -> int:
        """Work that waits for an inference thread."""
        return max(0, self._under_way - self.threads)

    def submit(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Begin `work` on an inference thread."""
        self._under_way += 1
        run = asyncio.get_running_loop().run_in_executor(self._inference, partial(work, *args, **kwargs))
        run.add_done_callback(self._ended)
        return run

    async def infer(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> tuple[T, float]:
        """Run `work` on an inference thread; returns its result and the milliseconds it waited for a thread."""
        queued = time.perf_counter()

        def timed() -> tuple[T, float]:
            waited = (time.perf_counter() - queued) * 1e3
            return work(*args, **kwargs), waited

        return await self.submit(timed)

    async def load(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` on the loading thread, and give back the memory that it freed."""

        def tidied() -> T:
            try:
                return work(*args, **kwargs)
            finally:
                release_memory()

        return await asyncio.get_running_loop().run_in_executor(self._loading, tidied)

    def close(self) -> None:
        """Wait for what runs, refuse what is queued."""
        self._inference.shutdown(cancel_futures=True)
        self._loading.shutdown(cancel_futures=True)

    def _ended(self, _: object) -> None:
        self._under_way -= 1
