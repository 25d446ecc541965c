"""Keeps the worker processes: starts them, replaces those that die, and gives each request one of them."""

import asyncio
import heapq
import os
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import structlog

from understudy.engine.engine import Priority
from understudy.engine.wire.fork_messages import Configuration
from understudy.engine.workers.fork_client import ForkServer, ForkServerGone
from understudy.engine.workers.fork_process import ForkProcess
from understudy.engine.workers.worker import Worker, WorkerGone
from understudy.errors import Unavailable
from understudy.schemas.server.workers import WorkerState, WorkerStatus

log = structlog.get_logger()

_WATCH_SECONDS = 0.1
_WAIT_SECONDS = 30.0
# Until then a worker that has ended should be replaced, and the first ones should have started.
_REPLACE_SECONDS = 5.0
_LONGEST_PAUSE = 5.0
# Requests that one worker holds; its own schedule shares its time between them.
_MOST_RUNNING = 64


@dataclass(frozen=True)
class TeamSettings:
    """Number and limits of the workers. They may read below `compiled_folder` and `backbone_folder`."""

    workers: int
    memory_bytes: int
    step_seconds: float
    queue_seconds: float
    max_audio_seconds: float
    max_whole_clip_seconds: float
    compiled_folder: Path
    backbone_folder: Path
    backbone: Path | None
    log_format: str
    log_level: str


class WorkerTeam:
    """A dead worker is replaced at once, and after a growing pause where it died before it was ready."""

    def __init__(
        self,
        settings: TeamSettings,
        load_all: Callable[[Worker], Awaitable[None]],
        *,
        ahead: ForkProcess | None = None,
    ) -> None:
        """`load_all` loads what a new worker needs before it gets work; it raises WorkerGone where that dies.

        `ahead` is a process of the fork server that was started already.
        """
        self.workers: list[Worker] = []
        self.clips = 0  # recordings that are being scored, or wait for it
        self.failures = 0  # of the tasks that keep the workers, each of which is started again
        self._settings = settings
        self._load_all = load_all
        self._ahead = ahead
        self._server: ForkServer | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._queue: list[tuple[int, int, int, asyncio.Future[Worker]]] = []
        self._arrivals = count()
        self._pause = 0.0
        self._seen_ready = time.monotonic()
        self._changed = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def running(self) -> bool:
        """True while a worker is ready, and for a few seconds after the last one has ended."""
        if any(worker.ready and not worker.gone for worker in self.workers):
            self._seen_ready = time.monotonic()
        return time.monotonic() - self._seen_ready < _REPLACE_SECONDS

    def lacks(self, model: int) -> bool:
        """Return whether every worker is ready, and none has loaded `model`."""
        ready = [worker for worker in self.workers if worker.ready and not worker.gone]
        return len(ready) >= self._settings.workers and not any(model in worker.models for worker in ready)

    @property
    def waiting(self) -> int:
        """Number of requests that no worker has taken."""
        return len(self._queue)

    def start(self) -> None:
        """Start the fork server and its workers in the background. Raises OSError."""
        self._server = self._start_server()
        for _ in range(self._settings.workers):
            self._spawn(self._add_worker())
        self._watching = self._spawn(self._watch())

    async def wait_for_workers(self) -> list[Worker]:
        """Return the workers that are ready, at least one. Raises Unavailable where none becomes ready in time."""
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                while not (ready := [worker for worker in self.workers if worker.ready and not worker.gone]):
                    self._changed.clear()
                    await self._changed.wait()
                return ready
        except TimeoutError:
            raise Unavailable("No worker process is running.", remedy="See the server's log.") from None

    async def acquire(self, model: int, priority: Priority) -> Worker:
        """Return the worker with the fewest requests that has loaded `model`, as soon as one may take a request.

        Raises Unavailable where none becomes ready in time.
        """
        if not self._queue and (worker := self._choose(model)) is not None:
            worker.promised += 1
            return worker
        future: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (priority, next(self._arrivals), model, future))
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                return await asyncio.shield(future)
        except asyncio.CancelledError:
            _drop(future, self.release)
            raise
        except TimeoutError:
            _drop(future, self.release)
            raise Unavailable(
                f"No worker process could take the request within {_WAIT_SECONDS:.0f} s.", remedy="Try again later."
            ) from None

    def release(self, worker: Worker) -> None:
        """Take back a worker that `acquire` returned, and give the next requests to workers that can take them."""
        worker.promised -= 1
        self._serve_queue()

    def _serve_queue(self) -> None:
        waiting, self._queue = self._queue, []
        for entry in waiting:
            _, _, model, future = entry
            if future.done():
                continue
            worker = self._choose(model)
            if worker is None:
                self._queue.append(entry)  # the entries are in order, so the heap stays one
            else:
                future.set_result(worker)
                worker.promised += 1

    def _share_cores(self) -> None:
        """Tell each worker that has one request how many cores of idle workers it may use for a recording."""
        if not self.clips:
            return
        ready = [worker for worker in self.workers if worker.ready and not worker.gone]
        busy = [worker for worker in ready if worker.running]
        spare = (len(ready) - len(busy)) // len(busy) if busy else 0
        for worker in busy:
            worker.handle.page.spare_cores = spare if worker.running == 1 else 0

    def describe(self) -> list[WorkerStatus]:
        """Return the state of each worker that lives."""
        walls = self._server.walls if self._server else ()
        return [
            WorkerStatus(
                pid=worker.handle.pid,
                state=WorkerState.READY if worker.ready else WorkerState.STARTING,
                models=len(worker.models),
                running=worker.running,
                walls=walls,
            )
            for worker in self.workers
            if not worker.gone
        ]

    async def close(self) -> None:
        """End all workers."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for worker in self.workers:
            worker.close()
            worker.handle.close()
        self.workers.clear()
        if self._server is not None:
            await self._server.close()

    def _choose(self, model: int) -> Worker | None:
        fitting = [
            worker
            for worker in self.workers
            if worker.ready and not worker.gone and model in worker.models and worker.promised < _MOST_RUNNING
        ]
        return min(fitting, key=lambda worker: worker.promised, default=None)

    def _start_server(self) -> ForkServer:
        settings = self._settings
        for folder in (settings.compiled_folder, settings.backbone_folder):
            folder.mkdir(parents=True, exist_ok=True)  # a rule of Landlock holds for a folder that exists
        return ForkServer.start(
            Configuration(
                parent=os.getpid(),
                memory_bytes=settings.memory_bytes,
                readable=(settings.compiled_folder.resolve(), settings.backbone_folder.resolve()),
                backbone=settings.backbone,
                max_audio_seconds=settings.max_audio_seconds,
                max_whole_clip_seconds=settings.max_whole_clip_seconds,
                log_format=settings.log_format,
                log_level=settings.log_level,
            ),
            self._lose_server,
            ahead=self._ahead,
        )

    async def _add_worker(self) -> None:
        """Fork a worker, load the models, and let it take requests."""
        if self._pause:
            await asyncio.sleep(self._pause)
        server = self._server
        if server is None:
            return
        try:
            handle = await server.fork()
        except ForkServerGone:
            return  # its loss starts another one
        worker = Worker(handle, self._lose_worker, self._share_cores)
        self.workers.append(worker)
        try:
            await self._load_all(worker)
        except WorkerGone:
            return  # it is replaced already
        if not worker.gone:
            worker.ready = True
            self._changed.set()
            self._serve_queue()
            self._share_cores()

    def _lose_worker(self, worker: Worker) -> None:
        if self._closed:
            return
        self.workers.remove(worker)
        self._share_cores()
        if worker.ready:
            self._seen_ready = time.monotonic()  # nobody may have asked since it became ready
        lived = time.monotonic() - worker.started
        self._pause = 0.0 if worker.ready else min(_LONGEST_PAUSE, self._pause * 2 or 0.1)
        log.warning("worker ended", pid=worker.handle.pid, reason=worker.reason or None, seconds=round(lived, 1))
        if self._server is not None:
            self._server.forget(worker.handle)
        self._spawn(self._add_worker())

    def _lose_server(self) -> None:
        if not self._closed:
            self._spawn(self._restart_server())

    async def _restart_server(self) -> None:
        await asyncio.sleep(max(0.1, self._pause))
        self._pause = min(_LONGEST_PAUSE, self._pause * 2 or 0.1)
        self._server = self._start_server()
        for _ in range(self._settings.workers - len(self.workers)):
            self._spawn(self._add_worker())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            for worker in list(self.workers):
                worker.check_progress()

    def _spawn(self, work: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end_task)
        return task

    def _end_task(self, task: "asyncio.Future[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failures += 1
            log.error("keeping the workers failed", exc_info=error)
            if not self._closed:
                with suppress(RuntimeError):
                    asyncio.get_running_loop().call_later(_LONGEST_PAUSE, self._recover)

    def _recover(self) -> None:
        """Start what is missing after a task of this class failed."""
        if self._closed:
            return
        if self._watching is None or self._watching.done():
            self._watching = self._spawn(self._watch())
        if self._server is None or self._server.gone:
            self._spawn(self._restart_server())
            return
        for _ in range(self._settings.workers - len(self.workers)):
            self._spawn(self._add_worker())


def _drop(future: "asyncio.Future[Worker]", release: Callable[[Worker], None]) -> None:
    """Take back a promise that nobody waits for any more."""
    if future.done():
        release(future.result())
    else:
        future.cancel()
