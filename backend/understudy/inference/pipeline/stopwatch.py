"""Time spent a stage."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from understudy.inference.pipeline.analysis import PhaseTimes


class Stopwatch:
    """Adds up the wall-clock time of named stages."""

    def __init__(self) -> None:
        self._spent = {"decode": 0, "features": 0, "inference": 0}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter_ns()
        try:
            yield
        finally:
            self._spent[name] += time.perf_counter_ns() - started

    def add(self, name: str, seconds: float) -> None:
        """What was measured elsewhere."""
        self._spent[name] += round(seconds * 1e9)

    def timing(self) -> PhaseTimes:
        return PhaseTimes(**{name: spent / 1e6 for name, spent in self._spent.items()})
