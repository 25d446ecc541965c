"""What a worker thread does at once: clips of one model, whose windows share runs."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from understudy.errors import UnderstudyError
from understudy.inference.pipeline.pipeline import (
    MAX_BATCH,
    Array,
    Items,
    Pipeline,
    Steps,
)

# A clip that takes longer lets others in between. A turn costs as much as a tenth of a second of sound.
SECONDS = 0.05


@dataclass(slots=True, eq=False)
class ClipTask:
    """A clip on its way. `items` are the windows to be scored next, None before the first step and after the last."""

    pipeline: Pipeline
    steps: Steps[Any]
    done: asyncio.Future[Any]
    items: Items | None = None
    result: Any = None
    error: Exception | None = None
    ended: bool = False

    def advance(self, scored: tuple[Array, float] | None = None) -> None:
        """One step further: the first, or the one after `scored`."""
        try:
            self.items = next(self.steps) if scored is None else self.steps.send(scored)
        except StopIteration as end:
            self.result, self.items, self.ended = end.value, None, True
        except Exception as error:  # noqa: BLE001  # it is raised where the answer is awaited
            self.fail(error)

    def fail(self, error: Exception) -> None:
        self.steps.close()
        self.error, self.items, self.ended = error, None, True

    def score_alone(self) -> None:
        assert self.items  # noqa: S101  # only jobs with windows are scored
        try:
            [scores], seconds = self.pipeline.score([self.items])
        except Exception as error:  # noqa: BLE001  # as above
            self.fail(error)
        else:
            self.advance((scores, seconds))


def run_time_slice(jobs: list[ClipTask]) -> list[int]:
    """Decode clips until their windows fill a run, and score them, run by run, for as long as a turn lasts.

    Returns how many windows each run had. Clips that were not begun are left as they are.
    """
    until = time.perf_counter() + SECONDS
    ready: list[ClipTask] = []
    for job in jobs:
        if sum(len(other.items or ()) for other in ready) >= MAX_BATCH:
            break
        if job.items is None:
            job.advance()
        if job.items:
            ready.append(job)
    sizes = []
    while ready:
        for run in _runs(ready):
            sizes.append(sum(len(job.items or ()) for job in run))
            _score(run)
        ready = [job for job in ready if job.items] if time.perf_counter() < until else []
    return sizes


def _runs(jobs: list[ClipTask]) -> Iterator[list[ClipTask]]:
    """Consecutive jobs of MAX_BATCH windows together at most."""
    run: list[ClipTask] = []
    for job in jobs:
        if run and sum(len(other.items or ()) for other in (*run, job)) > MAX_BATCH:
            yield run
            run = []
        run.append(job)
    if run:
        yield run


def _score(run: list[ClipTask]) -> None:
    pipeline = run[0].pipeline
    if len(run) > 1 and pipeline.joinable:
        try:
            scores, seconds = pipeline.score([job.items or [] for job in run])
        except UnderstudyError:  # one clip must not fail the others: each finds out for itself
            pass
        else:
            for job, own in zip(run, scores, strict=True):
                job.advance((own, seconds))
            return
    for job in run:
        job.score_alone()
