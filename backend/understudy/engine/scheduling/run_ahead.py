"""Scores the windows of one long clip on several threads."""

import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait

from understudy.engine.scheduling.step_watch import StepWatch
from understudy.inference.pipeline.pipeline import Items, Pipeline, Scored

# A helper that takes so many times as long as this thread is late: its core is needed elsewhere.
_LATE = 3.0


class _CoreWanted(Exception):
    """Another request needs the core, so that a helper does not begin the run."""


class RunAhead:
    """The runs of one clip that have begun or wait for a helper, in the order of their windows. Use it on one thread.

    Each run has the windows that it would have without helpers, so its scores are the same. One that is late is run
    here too, and one that fails beside others, perhaps for want of memory, is run again alone.
    """

    def __init__(self, helpers: ThreadPoolExecutor, watch: StepWatch, request: int, pipeline: Pipeline) -> None:
        self._helpers = helpers
        self._watch = watch
        self._request = request
        self._pipeline = pipeline
        self._runs: deque[tuple[Items, Future[Scored]]] = deque()
        self._most = 0  # runs whose scores were not taken
        self._cost: float | None = None  # seconds of a window here

    def begin(self, items: Items, helpers: int) -> None:
        """Have one of `helpers` threads run the windows, or run them here where each has one and the next."""
        self._most = 2 * (helpers + 1)
        under_way = sum(not run.done() for _, run in self._runs)
        run = self._helpers.submit(self._help, items) if under_way < 2 * helpers else self._run_here(items)
        self._runs.append((items, run))

    def take(self, *, one: bool) -> list[Scored]:
        """Return the scores of the oldest runs that have ended; with `one`, of one at least where there is one.

        Raises what a run raises.
        """
        return self._take(1 if one or len(self._runs) > self._most else 0)

    def take_all(self) -> list[Scored]:
        """Return the scores of all runs. Raises what a run raises."""
        return self._take(len(self._runs))

    def close(self) -> None:
        """Drop the runs that wait for a helper."""
        for _, run in self._runs:
            run.cancel()
        self._runs.clear()

    def _take(self, least: int) -> list[Scored]:
        taken: list[Scored] = []
        while self._runs and (len(taken) < least or self._runs[0][1].done()):
            items, run = self._runs[0]
            if not run.done():
                if not self._take_back() and not self._await(run, items):
                    self._runs[0] = items, self._run_here(items)
                continue
            self._runs.popleft()
            if run.exception() is None:
                taken.append(run.result())
            else:
                for items_beside, beside in self._runs:
                    self._await(beside, items_beside)
                taken.append(self._run(items))
        return taken

    def _take_back(self) -> bool:
        """Run here the last run that waits for a helper; return False where there is none."""
        for place in reversed(range(len(self._runs))):
            items, run = self._runs[place]
            if run.cancel():
                self._runs[place] = items, self._run_here(items)
                return True
        return False

    def _await(self, run: "Future[Scored]", items: Items) -> bool:
        """Wait for a helper; return False where it is late."""
        with self._watch.step([self._request]):
            wait([run], None if self._cost is None else _LATE * self._cost * len(items))
        return run.done()

    def _run_here(self, items: Items) -> "Future[Scored]":
        run: Future[Scored] = Future()
        try:
            run.set_result(self._run(items))
        except Exception as error:  # noqa: BLE001  # it is run again where its scores are taken
            run.set_exception(error)
        return run

    def _run(self, items: Items) -> Scored:
        began = time.perf_counter()
        with self._watch.step([self._request]):
            scored = self._score(items)
        self._cost = (time.perf_counter() - began) / len(items)
        return scored

    def _help(self, items: Items) -> Scored:
        if not self._watch.spare_cores:
            raise _CoreWanted
        with self._watch.beside():
            return self._score(items)

    def _score(self, items: Items) -> Scored:
        [scores], seconds = self._pipeline.score([items])
        return scores, seconds
