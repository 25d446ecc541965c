"""Measure the time that each phase of an analysis takes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from understudy.inference.pipeline.analysis import PhaseTimes


class Stopwatch:
    """Adds up the wall-clock time of the phases `decode`, `features` and `inference`."""

    def __init__(self) -> None:
        self._spent = {"decode": 0, "features": 0, "inference": 0}

    @contextmanager
    def measure(self, phase: str) -> Iterator[None]:
        """Add the time that the `with` block takes to `phase`."""
        started = time.perf_counter_ns()
        try:
            yield
        finally:
            self._spent[phase] += time.perf_counter_ns() - started

    def add(self, phase: str, seconds: float) -> None:
        """Add time that was measured elsewhere."""
        self._spent[phase] += round(seconds * 1e9)

    def to_phase_times(self) -> PhaseTimes:
        """Return the sums in milliseconds."""
        return PhaseTimes(**{name: spent / 1e6 for name, spent in self._spent.items()})
