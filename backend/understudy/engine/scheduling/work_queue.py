"""Runs the tasks of one queue in batches on worker threads; clips and tensors both build on it."""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from understudy.engine.scheduling.worker_pool import WorkerPool
from understudy.errors import UnderstudyError


@dataclass(slots=True, eq=False)
class Task:
    """One request. A worker thread sets `begun`, and `result` or `error` together with `ended`.

    The queue then gives the result or the error to the caller that awaits `answer`. `size` is the task's share of a
    batch: a clip counts 1, a request for tensors its rows.
    """

    answer: asyncio.Future[Any]
    size: int = field(default=1, init=False)
    begun: bool = field(default=False, init=False)
    ended: bool = field(default=False, init=False)
    result: Any = field(default=None, init=False)
    error: BaseException | None = field(default=None, init=False)

    def end(self, result: Any) -> None:
        self.result, self.ended = result, True

    def fail(self, error: BaseException) -> None:
        self.error, self.ended = error, True

    def abandon(self) -> None:
        """Release what the task holds; its caller went away before a batch took it."""


T = TypeVar("T", bound=Task)


def ignore_run(_: int) -> None:
    """For callers that count no runs."""


class WorkQueue(ABC, Generic[T]):
    """Runs a task at once while it may, and what waits when a batch ends as the next batch.

    So a lone request never waits for others, and no timer runs. A task that fails inside a batch fails alone. A task
    that a batch leaves unfinished returns to the queue: to its end if it has begun, else to its front. Use it on the
    event loop only.
    """

    def __init__(self, pool: WorkerPool, on_run: Callable[[int], None] = ignore_run) -> None:
        """`on_run` is called on the event loop with the number of rows of each run of a graph."""
        self._pool = pool
        self._on_run = on_run
        self._tasks: deque[T] = deque()
        self._running = 0

    @property
    def waiting(self) -> int:
        """Number of tasks that no batch has taken yet."""
        return len(self._tasks)

    async def process(self, task: T) -> Any:
        """Return the task's result. Raises the task's error."""
        self._tasks.append(task)
        self._start()
        return await task.answer

    @abstractmethod
    def _count_threads(self) -> int:
        """Return how many batches may run at once."""

    @abstractmethod
    def _can_join(self, first: T, task: T, size: int) -> bool:
        """Return whether `task` may run in the batch that begins with `first`, which would then have `size`."""

    @abstractmethod
    def _run_batch(self, batch: list[T]) -> list[int]:
        """Advance or end the tasks, on a worker thread; return the number of rows of each run of the graph."""

    @abstractmethod
    def _run_together(self, tasks: list[T]) -> None:
        """Run the graph once for all tasks. Raises CannotServe, and then none of the tasks has changed."""

    @abstractmethod
    def _run_alone(self, task: T) -> None:
        """Run the graph for one task."""

    @abstractmethod
    def _is_joinable(self, task: T) -> bool:
        """Return whether the task's graph gives each row the same answer in a shared run as alone."""

    def _run(self, tasks: list[T]) -> None:
        """Run tasks of one graph together where it is joinable, else one by one, so that each gets its own error."""
        if len(tasks) > 1 and self._is_joinable(tasks[0]):
            try:
                return self._run_together(tasks)
            except UnderstudyError:  # one task's values must not fail the others
                pass
        for task in tasks:
            try:
                self._run_alone(task)
            except Exception as error:  # noqa: BLE001  # it is raised where the answer is awaited
                task.fail(error)
        return None

    def _start(self) -> None:
        while self._tasks and self._running < self._count_threads() and (batch := self._take_batch()):
            self._running += 1
            self._pool.submit(self._run_batch, batch).add_done_callback(partial(self._finish, batch))

    def _take_batch(self) -> list[T]:
        """Remove the task that waits longest from the queue, with those right behind it that may join it."""
        batch: list[T] = []
        size, tasks = 0, self._tasks
        while tasks:
            task = tasks[0]
            if batch and not self._can_join(batch[0], task, size + task.size):
                break
            tasks.popleft()
            if task.answer.done():
                task.abandon()
            else:
                batch.append(task)
                size += task.size
        return batch

    def _finish(self, batch: list[T], run: asyncio.Future[list[int]]) -> None:
        self._running -= 1
        if run.cancelled():  # the server stops
            for task in batch:
                task.answer.cancel()
            return
        if (failure := run.exception()) is not None:  # no request can cause this
            for task in batch:
                task.fail(failure)
        elif unfinished := [task for task in batch if not task.ended]:
            self._tasks.extend(task for task in unfinished if task.begun)
            self._tasks.extendleft(task for task in reversed(unfinished) if not task.begun)
        self._start()
        for rows in [] if failure else run.result():
            self._on_run(rows)
        for task in batch:
            answer = task.answer
            if not task.ended or answer.done():  # unfinished, or its caller went away
                continue
            if task.error is None:
                answer.set_result(task.result)
            else:
                answer.set_exception(task.error)
