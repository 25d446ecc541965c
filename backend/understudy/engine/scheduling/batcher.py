"""Lets requests for tensors share runs of a graph."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from numpy.typing import NDArray

from understudy.engine.scheduling.step_watch import NoWatch, StepWatch
from understudy.engine.scheduling.work_queue import Task, WorkQueue, ignore_run
from understudy.engine.scheduling.worker_pool import WorkerPool
from understudy.inference.runtime.session import Tensors
from understudy.inference.runtime.tensor_graph import Graph, count_rows

# A run has at most this many rows and takes about this long: past that, requests gain nothing and wait for each other.
MAX_ROWS = 64
MAX_SECONDS = 0.002
# A graph gets a second thread only where one row takes longer: two threads that run tiny graphs slow each other down.
MIN_ROW_SECONDS_FOR_THREADS = 0.0005

Outputs = dict[str, NDArray[Any]]
Key = tuple[tuple[str, str, tuple[int, ...]], ...]


@dataclass(slots=True, eq=False)
class TensorTask(Task):
    """A request for tensors. Tasks with an equal key may join; a task with the empty key never joins another.

    The result is the outputs by name and the time, on the clock of `time.perf_counter`, at which the run began.
    """

    graph: Graph
    inputs: Tensors
    key: Key = field(init=False)

    def __post_init__(self) -> None:
        self.key, self.size = build_key(self.inputs)


def build_key(inputs: Tensors) -> tuple[Key, int]:
    """Return the key of a request, and its number of rows.

    The key is empty where the inputs differ in rows: these would meet those of another request.
    """
    arrays = inputs.values()
    rows = count_rows(inputs) if arrays and all(array.ndim for array in arrays) else 1
    if len({array.shape[:1] for array in arrays}) != 1:
        return (), rows
    return tuple((name, array.dtype.char, array.shape[1:]) for name, array in inputs.items()), rows


class Batcher:
    """Keeps one queue for each graph. Use it on the event loop only."""

    def __init__(
        self, pool: WorkerPool, on_run: Callable[[int], None] = ignore_run, watch: StepWatch | None = None
    ) -> None:
        """`on_run` is called on the event loop with the number of rows of each run of a graph."""
        self._pool = pool
        self._on_run = on_run
        self._watch = watch or NoWatch()
        self._queues: WeakKeyDictionary[Graph, _GraphQueue] = WeakKeyDictionary()

    @property
    def waiting(self) -> int:
        """Number of requests that no run has taken yet."""
        return sum(queue.waiting for queue in self._queues.values())

    def find_join_rows(self, graph: Graph) -> int:
        """Return how many rows of different requests may share a run, 0 where none may or where that is not known."""
        queue = self._queues.get(graph)
        if queue is None or not queue.row_seconds or not graph.known_joinable:
            return 0
        return min(MAX_ROWS, int(MAX_SECONDS / queue.row_seconds))

    async def infer(
        self, graph: Graph, inputs: Tensors, *, request: int = 0, alone: bool = False
    ) -> tuple[Outputs, float]:
        """Return the outputs by name, and the milliseconds that the request waited for its run.

        With `alone` no other request shares the run. Raises RequestInvalid for inputs that the graph does not take, and
        CannotServe when the graph fails on them.
        """
        graph.check(inputs)
        queue = self._queues.get(graph)
        if queue is None:
            queue = self._queues[graph] = _GraphQueue(self._pool, self._on_run, self._watch)
        queued, future = time.perf_counter(), asyncio.get_running_loop().create_future()
        task = TensorTask(future, graph, inputs, request=request)
        if alone:
            task.key = ()
        outputs, begun = await queue.process(task)
        return outputs, (begun - queued) * 1e3


class _GraphQueue(WorkQueue[TensorTask]):
    """One graph's requests."""

    def __init__(self, pool: WorkerPool, on_run: Callable[[int], None], watch: StepWatch) -> None:
        super().__init__(pool, on_run, watch)
        self.row_seconds = 0.0  # of the last run; 0 before the first

    def _count_threads(self) -> int:
        return self._pool.threads if self.row_seconds > MIN_ROW_SECONDS_FOR_THREADS else 1

    def _can_join(self, first: TensorTask, task: TensorTask, size: int) -> bool:
        return task.key == first.key != () and size <= MAX_ROWS and size * self.row_seconds <= MAX_SECONDS

    def _run_batch(self, batch: list[TensorTask]) -> list[int]:
        begun = time.perf_counter()
        self._run(batch)
        rows = sum(task.size for task in batch)
        self.row_seconds = (time.perf_counter() - begun) / max(1, rows)
        return [rows]

    def _is_joinable(self, task: TensorTask) -> bool:
        return task.graph.joinable

    def _run_together(self, tasks: list[TensorTask]) -> None:
        begun = time.perf_counter()
        with self._watch.step([task.request for task in tasks]):
            outputs = tasks[0].graph.run_together([task.inputs for task in tasks])
        for task, own in zip(tasks, outputs, strict=True):
            task.end((own, begun))

    def _run_alone(self, task: TensorTask) -> None:
        begun = time.perf_counter()
        with self._watch.step([task.request]):
            outputs = task.graph.run(task.inputs)
        task.end((outputs, begun))
