"""Requests for tensors that share a run of the graph."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from numpy.typing import NDArray

from understudy.errors import UnderstudyError
from understudy.inference.runtime.tensor_graph import Graph, Tensors, count_rows
from understudy.serving.scheduling.worker_pool import WorkerPool
from understudy.serving.telemetry.counters import Counters

# A run takes this many rows, and about this long, at most: past that, requests gain nothing and wait for each other.
MAX_ROWS = 64
MAX_SECONDS = 0.002
# Two threads that run tiny graphs get in each other's way.
WORTH_A_CORE = 0.0005

Outputs = dict[str, NDArray[Any]]
Key = tuple[tuple[str, str, tuple[int, ...]], ...]
Answer = Outputs | UnderstudyError
_Run = tuple[list[Answer], float, float]


@dataclass(slots=True)
class _TensorTask:
    inputs: Tensors
    rows: int
    key: Key
    queued: float
    done: asyncio.Future[tuple[Outputs, float]]


@dataclass(slots=True)
class _GraphQueue:
    """One graph's requests. `row_seconds` is what a row took in the last run, 0 before the first."""

    waiting: deque[_TensorTask] = field(default_factory=deque)
    running: int = 0
    row_seconds: float = 0.0


class Batcher:
    """Runs what arrives at once, and joins what arrives while every worker is busy with the same graph.

    So a lone request never waits for company, and no timer runs. Called on the event loop only.
    """

    def __init__(self, pool: WorkerPool, counters: Counters) -> None:
        self._pool = pool
        self._counters = counters
        self._lanes: WeakKeyDictionary[Graph, _GraphQueue] = WeakKeyDictionary()

    @property
    def waiting(self) -> int:
        """Requests that no run has taken yet."""
        return sum(len(lane.waiting) for lane in self._lanes.values())

    async def infer(self, graph: Graph, inputs: Tensors) -> tuple[Outputs, float]:
        """The outputs by name, and the milliseconds before the run.

        Raises RequestInvalid for what the graph does not take and CannotServe when it fails on these inputs.
        """
        graph.check(inputs)
        lane = self._lanes.setdefault(graph, _GraphQueue())
        key: Key = tuple((name, array.dtype.char, array.shape[1:]) for name, array in inputs.items())
        if len({array.shape[:1] for array in inputs.values()}) != 1:
            key = ()  # rows that do not correspond would meet those of another request
        done: asyncio.Future[tuple[Outputs, float]] = asyncio.get_running_loop().create_future()
        rows = count_rows(inputs) if inputs and all(array.ndim for array in inputs.values()) else 1
        lane.waiting.append(_TensorTask(inputs, rows, key, time.perf_counter(), done))
        self._start(graph, lane)
        return await done

    def _start(self, graph: Graph, lane: _GraphQueue) -> None:
        """Begin a run; a second one beside it only where a row is long enough to be worth another core."""
        while lane.waiting and lane.running < (self._pool.threads if lane.row_seconds > WORTH_A_CORE else 1):
            jobs = _next_batch(lane)
            lane.running += 1
            run = self._pool.submit(_answer, graph, [job.inputs for job in jobs])
            run.add_done_callback(partial(self._finish, graph, lane, jobs))

    def _finish(self, graph: Graph, lane: _GraphQueue, jobs: list[_TensorTask], run: asyncio.Future[_Run]) -> None:
        lane.running -= 1
        self._start(graph, lane)
        if run.cancelled():  # the server stops
            for job in jobs:
                job.done.cancel()
            return
        if (failure := run.exception()) is not None:  # nothing that a request can cause
            for job in jobs:
                job.done.set_exception(failure)
            return
        answers, begun, spent = run.result()
        rows = sum(job.rows for job in jobs)
        lane.row_seconds = spent / max(1, rows)
        self._counters.batches.observe(rows)
        for job, answer in zip(jobs, answers, strict=True):
            if job.done.done():  # whoever asked went away
                continue
            if isinstance(answer, UnderstudyError):
                job.done.set_exception(answer)
            else:
                job.done.set_result((answer, (begun - job.queued) * 1e3))


def _next_batch(lane: _GraphQueue) -> list[_TensorTask]:
    """The oldest request, and those right after it that may join it."""
    first = lane.waiting.popleft()
    jobs, rows = [first], first.rows
    while first.key and lane.waiting and (job := lane.waiting[0]).key == first.key:
        rows += job.rows
        if rows > MAX_ROWS or rows * lane.row_seconds > MAX_SECONDS:
            break
        jobs.append(lane.waiting.popleft())
    return jobs


def _answer(graph: Graph, requests: list[Tensors]) -> _Run:
    """What each request gets, when the run began and how many seconds it took."""
    begun = time.perf_counter()
    answers: list[Answer]
    try:
        if len(requests) > 1 and graph.joinable:
            answers = list(graph.run_together(requests))
        else:
            answers = [_alone(graph, inputs) for inputs in requests]
    except UnderstudyError:  # one request's values must not fail the others
        answers = [_alone(graph, inputs) for inputs in requests]
    return answers, begun, time.perf_counter() - begun


def _alone(graph: Graph, inputs: Tensors) -> Answer:
    try:
        return graph.run(inputs)
    except UnderstudyError as error:
        return error
