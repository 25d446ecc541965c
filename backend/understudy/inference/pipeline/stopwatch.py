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
    def measure(self, phase: str) -> Iterator[None]:
        started = time.perf_counter_ns()
        try:
            yield
        finally:
            self._spent[phase] += time.perf_counter_ns() - started

    def add(self, phase: str, seconds: float) -> None:
        """What was measured elsewhere."""
        self._spent[phase] += round(seconds * 1e9)

    def to_phase_times(self) -> PhaseTimes:
        return PhaseTimes(**{name: spent / 1e6 for name, spent in self._spent.items()})
