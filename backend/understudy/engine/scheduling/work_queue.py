"""Runs the tasks of one queue in batches on worker threads; clips and tensors both build on it."""

import asyncio
from abc import ABC, abstractmethod
from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, Generic, TypeVar

from understudy.engine.scheduling.step_watch import NoWatch, StepWatch
from understudy.engine.scheduling.worker_pool import WorkerPool
from understudy.errors import UnderstudyError


@dataclass(slots=True, eq=False)
class Task:
    """One request. A worker thread sets `begun`, and `result` or `error` together with `ended`.

    The queue then gives the result or the error to the caller that awaits `answer`. `request` is the number by which a
    step names it, see `StepWatch`. `size` is the task's share of a batch: a clip counts 1, a request for tensors its
    rows. `arrival` orders tasks: by priority, then by time.
    """

    answer: asyncio.Future[Any]
    request: int = field(default=0, kw_only=True)
    priority: int = field(default=0, kw_only=True)
    arrival: tuple[int, int] = field(default=(0, 0), init=False)
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

    So a lone request never waits for others, and no timer runs. A task that fails inside a batch fails alone. Tasks
    begin in the order of their arrival. Where a batch leaves some unfinished, the next batches take by turns the oldest
    of these and the oldest that have not begun: long tasks end in the order in which they came, and a short one waits
    for no whole long one. Use it on the event loop only.
    """

    def __init__(
        self, pool: WorkerPool, on_run: Callable[[int], None] = ignore_run, watch: StepWatch | None = None
    ) -> None:
        """`on_run` is called on the event loop with the number of rows of each run of a graph."""
        self._pool = pool
        self._on_run = on_run
        self._watch = watch or NoWatch()
        self._fresh: list[T] = []  # have not begun; both lists are in the order of `arrival`
        self._begun: list[T] = []
        self._take_begun = True
        self._arrivals = count()
        self._running = 0

    @property
    def waiting(self) -> int:
        """Number of tasks that have not begun."""
        return len(self._fresh)

    async def process(self, task: T) -> Any:
        """Return the task's result. Raises the task's error."""
        task.arrival = task.priority, next(self._arrivals)
        insort(self._fresh, task, key=_get_arrival)
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
        while self._running < self._count_threads() and (batch := self._take_batch()):
            self._running += 1
            self._pool.submit(self._run_batch, batch).add_done_callback(partial(self._finish, batch))

    def _take_batch(self) -> list[T]:
        """Remove the next task from its list, with those right behind it that may join it."""
        for tasks in (self._fresh, self._begun):
            for task in [task for task in tasks if task.answer.done()]:  # its caller went away
                tasks.remove(task)
                task.abandon()
        tasks = self._begun if self._begun and (self._take_begun or not self._fresh) else self._fresh
        self._take_begun = tasks is self._fresh
        size = taken = 0
        for task in tasks:
            if taken and not self._can_join(tasks[0], task, size + task.size):
                break
            taken += 1
            size += task.size
        batch, tasks[:taken] = tasks[:taken], []
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
            for task in unfinished:
                insort(self._begun if task.begun else self._fresh, task, key=_get_arrival)
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


def _get_arrival(task: Task) -> tuple[int, int]:
    return task.arrival
