"""What this process did since it started, in plain numbers; `serving/exposition.py` shows them to Prometheus.

Telling them costs a fraction of what Prometheus' own instruments take, and it is done for every request.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from understudy.errors import UnderstudyError
from understudy.schemas.inference.prediction import Timing

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
LONG_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
STAGES = ("queue", "decode", "features", "inference", "total")


class Distribution:
    """How often values fell up to each of `bounds`, and their sum; told by one thread at a time, as locks cost most."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def seen(self) -> tuple[list[tuple[float, int]], float]:
        """Pairs of upper bound and how many values were at most that, the last bound infinite; and the sum of all."""
        below, pairs = 0, []
        for bound, count in zip((*self._bounds, float("inf")), self._counts, strict=True):
            below += count
            pairs.append((bound, below))
        return pairs, self._sum


class Counters:
    """Told by the use-cases on the event loop, loads on the loading thread. Everything but `open_streams` grows."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self.refusals: Counter[str] = Counter()
        # From zero on: Prometheus' increase() does not see a series begin.
        self.activation_refusals: Counter[str] = Counter(dict.fromkeys(_codes(UnderstudyError), 0))
        self.stages = {stage: Distribution(SECONDS) for stage in STAGES}
        self.batches = Distribution(SIZES)
        self.loads = Distribution(LONG_SECONDS)
        self.compilations = Distribution(LONG_SECONDS)
        self.swaps = 0
        self.streams = 0
        self.open_streams = 0

    def requested(self, route: str, method: str, status: int) -> None:
        """One HTTP request or WebSocket handshake, by the template of its route: never by its path."""
        self.requests[route, method, status] += 1

    def answered(self, milliseconds: float, timing: Timing) -> None:
        """One prediction, with the milliseconds from its start to its answer and those of its stages."""
        stages = self.stages
        stages["queue"].observe(timing.queue / 1e3)
        stages["decode"].observe(timing.decode / 1e3)
        stages["features"].observe(timing.features / 1e3)
        stages["inference"].observe(timing.inference / 1e3)
        stages["total"].observe(milliseconds / 1e3)

    @contextmanager
    def stream(self) -> Iterator[None]:
        """A microphone's stream is open while the block runs."""
        self.streams += 1
        self.open_streams += 1
        try:
            yield
        finally:
            self.open_streams -= 1


def _codes(error: type[UnderstudyError]) -> Iterator[str]:
    yield error.code
    for kind in error.__subclasses__():
        yield from _codes(kind)
