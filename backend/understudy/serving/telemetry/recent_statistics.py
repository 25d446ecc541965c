"""Counts what this process answers, for the page that operates it."""

import math
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from understudy.schemas.inference.prediction import Timing
from understudy.schemas.server.recent_statistics import (
    Bucket,
    Percentiles,
    Swap,
    TrafficSummary,
)
from understudy.serving.sync.live_model import LiveModel
from understudy.serving.telemetry.counters import Counters

BUCKET_SECONDS = 10
KEPT_BUCKETS = 360
# Enough for percentiles of a bucket; past it every other answer counts in the total alone.
SAMPLES = 2000
STAGES = ("queue", "decode", "features", "inference")


@dataclass
class _BucketCounts:
    number: int
    requests: int = 0
    latency: list[float] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=lambda: {stage: [] for stage in STAGES})
    errors: Counter[str] = field(default_factory=Counter)


class RecentStatistics:
    """The last hour in buckets, and what `metrics` counts; called on the event loop only."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._clock = time.time
        self._tallies: deque[_BucketCounts] = deque(maxlen=KEPT_BUCKETS)
        self._swaps: deque[Swap] = deque(maxlen=KEPT_BUCKETS)

    def answered(self, milliseconds: float, timing: Timing) -> None:
        self._counters.answered(milliseconds, timing)
        tally = self._tally()
        tally.requests += 1
        if len(tally.latency) < SAMPLES:
            tally.latency.append(milliseconds)
            for stage in STAGES:
                tally.stages[stage].append(getattr(timing, stage))

    def refused(self, code: str) -> None:
        self._counters.refusals[code] += 1
        self._tally().errors[code] += 1

    def swapped(self, live: LiveModel) -> None:
        self._counters.swaps += 1
        self._swaps.append(Swap(at=live.since, generation=live.generation, model=live.model.identity))

    def summary(self, minutes: float) -> TrafficSummary:
        """Every bucket of the last `minutes`, empty ones too, oldest first."""
        last = self._number()
        first = last - max(1, min(KEPT_BUCKETS, math.ceil(minutes * 60 / BUCKET_SECONDS))) + 1
        known = {tally.number: tally for tally in self._tallies if tally.number >= first}
        begin = datetime.fromtimestamp(first * BUCKET_SECONDS, UTC)
        return TrafficSummary(
            bucket_seconds=BUCKET_SECONDS,
            buckets=[_bucket(known.get(number) or _BucketCounts(number)) for number in range(first, last + 1)],
            errors_by_code=dict(sum((tally.errors for tally in known.values()), Counter[str]())),
            swaps=[swap for swap in self._swaps if swap.at >= begin],
        )

    def _number(self) -> int:
        return int(self._clock() // BUCKET_SECONDS)

    def _tally(self) -> _BucketCounts:
        number = self._number()
        if not self._tallies or self._tallies[-1].number != number:
            self._tallies.append(_BucketCounts(number))
        return self._tallies[-1]


def _bucket(tally: _BucketCounts) -> Bucket:
    return Bucket(
        at=datetime.fromtimestamp(tally.number * BUCKET_SECONDS, UTC),
        requests=tally.requests,
        errors=tally.errors.total(),
        latency_ms=_percentiles(tally.latency),
        stages={stage: _percentiles(values) for stage, values in tally.stages.items()},
    )


def _percentiles(values: list[float]) -> Percentiles:
    """Nearest-rank percentiles."""
    ordered = sorted(values)

    def at(share: float) -> float | None:
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None

    return Percentiles(p50=at(0.5), p95=at(0.95), p99=at(0.99))
