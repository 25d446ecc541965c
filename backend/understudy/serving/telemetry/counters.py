"""Counts what this process did since it started; `PrometheusExporter` publishes the counts.

Every request is counted. Plain numbers cost a fraction of what the instruments of `prometheus_client` cost.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from understudy.errors import UnderstudyError

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
LONG_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
PHASES = ("queue", "decode", "features", "inference")
# Sources that are counted by their own name; a client can make up any number of names.
MAX_SOURCES = 100
OTHER_SOURCES = "other"


class Distribution:
    """Counts values by the upper `bounds` of a histogram, and sums them.

    It takes no lock, which would cost more than the rest: one thread at a time may call it.
    """

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def read(self) -> tuple[list[tuple[float, int]], float]:
        """Return pairs of an upper bound and the number of values up to it, and the sum of all values.

        The last bound is infinite.
        """
        below, pairs = 0, []
        for bound, count in zip((*self._bounds, float("inf")), self._counts, strict=True):
            below += count
            pairs.append((bound, below))
        return pairs, self._sum


class Counters:
    """The counts of this process; all of them only grow, except `open_streams`.

    The event loop writes all of them except `loads`, which the loading thread writes.
    """

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self.refusals: Counter[str] = Counter()
        self.sources: Counter[str] = Counter()
        self.predictions_logged = 0
        self.predictions_not_logged = 0
        self.limited: Counter[str] = Counter(dict.fromkeys(("person", "key", "identity"), 0))
        # Each code begins at 0: Prometheus' increase() misses the first value of a new series.
        self.activation_refusals: Counter[str] = Counter(dict.fromkeys(_iter_codes(UnderstudyError), 0))
        self.phases = {phase: Distribution(SECONDS) for phase in (*PHASES, "total")}
        self.batches = Distribution(SIZES)
        self.loads = Distribution(LONG_SECONDS)
        self.compilations = Distribution(LONG_SECONDS)
        self.task_failures: Counter[str] = Counter()
        self.swaps = 0
        self.streams = 0
        self.open_streams = 0

    def record_request(self, route: str, method: str, status: int) -> None:
        """Count one HTTP request or WebSocket handshake. `route` is the template of the route, never a path."""
        self.requests[route, method, status] += 1

    def count_source(self, source: str | None, predictions: int = 1) -> None:
        """Count predictions of recordings from `source`: the first MAX_SOURCES by name, the rest as `other`."""
        if source is None:
            return
        known = source in self.sources or len(self.sources.keys() - {OTHER_SOURCES}) < MAX_SOURCES
        self.sources[source if known else OTHER_SOURCES] += predictions

    @contextmanager
    def count_stream(self) -> Iterator[None]:
        """Count one microphone stream, which is open while the block runs."""
        self.streams += 1
        self.open_streams += 1
        try:
            yield
        finally:
            self.open_streams -= 1


def _iter_codes(error: type[UnderstudyError]) -> Iterator[str]:
    yield error.code
    for kind in error.__subclasses__():
        yield from _iter_codes(kind)
