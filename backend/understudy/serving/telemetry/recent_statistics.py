"""Records the answers of this process: the last hour for the Operations page, and the counts since it started."""

import asyncio
import math
import time
from array import array
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from understudy.schemas.inference.prediction import Prediction, Timing
from understudy.schemas.server.recent_statistics import (
    Bucket,
    LastEvent,
    Percentiles,
    Swap,
    Totals,
    TrafficSummary,
)
from understudy.serving.sync.live_model import LiveModel
from understudy.serving.telemetry.counters import PHASES, Counters

BUCKET_SECONDS = 10
KEPT_BUCKETS = 360
# Samples of a bucket that its percentiles are computed from; further answers are only counted.
SAMPLES = 1000
TOTAL_SAMPLES = 20_000


@dataclass
class _BucketCounts:
    number: int
    requests: int = 0
    # Eight bytes a sample: as lists of floats, an hour of load took 60 MB of the server.
    latency: "array[float]" = field(default_factory=lambda: array("d"))
    phases: "dict[str, array[float]]" = field(default_factory=lambda: {phase: array("d") for phase in PHASES})
    errors: Counter[str] = field(default_factory=Counter)


class RecentStatistics:
    """Records answers, refusals and swaps, once each, in the buckets of the last hour and in `counters`.

    Use it on the event loop only.
    """

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._clock = time.time
        self._buckets: deque[_BucketCounts] = deque(maxlen=KEPT_BUCKETS)
        self._swaps: deque[Swap] = deque(maxlen=KEPT_BUCKETS)
        self._last_event: LastEvent | None = None

    def record_answer(self, milliseconds: float, timing: Timing) -> None:
        """Record one prediction: the milliseconds from its start to its answer, and those of its phases."""
        bucket, histograms = self._present_bucket(), self._counters.phases
        sampled = len(bucket.latency) < SAMPLES
        bucket.requests += 1
        histograms["total"].observe(milliseconds / 1e3)
        if sampled:
            bucket.latency.append(milliseconds)
        for phase in PHASES:
            spent: float = getattr(timing, phase)
            histograms[phase].observe(spent / 1e3)
            if sampled:
                bucket.phases[phase].append(spent)

    def record_refusal(self, code: str) -> None:
        """Record one problem document that was sent, by its code."""
        self._counters.refusals[code] += 1
        self._present_bucket().errors[code] += 1

    def record_swap(self, live: LiveModel) -> None:
        """Record that `live` became the live model of this process."""
        self._counters.swaps += 1
        self._swaps.append(Swap(at=live.since, generation=live.generation, model=live.model.identity))

    async def watch(self) -> None:
        """Record that this process runs, until cancelled, so that an idle bucket differs from one of an outage."""
        while True:
            self._present_bucket()
            await asyncio.sleep(BUCKET_SECONDS / 2)

    def record_events(self, prediction: Prediction) -> None:
        """Remember the highest event of a recording that the live model answered."""
        if prediction.events and prediction.generation is not None:
            highest = max(prediction.events, key=lambda event: event.peak)
            self._last_event = LastEvent(
                at=datetime.fromtimestamp(self._clock(), UTC),
                label=highest.label,
                score=highest.peak,
                source=prediction.source,
                model=prediction.model,
            )

    def summary(self, minutes: float) -> TrafficSummary:
        """Return every bucket of the last `minutes`, empty ones too, oldest first."""
        last = self._present_bucket().number
        first = last - max(1, min(KEPT_BUCKETS, math.ceil(minutes * 60 / BUCKET_SECONDS))) + 1
        known = {bucket.number: bucket for bucket in self._buckets if bucket.number >= first}
        begin = datetime.fromtimestamp(first * BUCKET_SECONDS, UTC)
        return TrafficSummary(
            bucket_seconds=BUCKET_SECONDS,
            buckets=[_summarize(number, known.get(number)) for number in range(first, last + 1)],
            errors_by_code=dict(sum((bucket.errors for bucket in known.values()), Counter[str]())),
            swaps=[swap for swap in self._swaps if swap.at >= begin],
            total=_add_up(known.values()),
            last_event=self._last_event,
        )

    def _present_bucket(self) -> _BucketCounts:
        number = int(self._clock() // BUCKET_SECONDS)
        if not self._buckets or self._buckets[-1].number != number:
            self._buckets.append(_BucketCounts(number))
        return self._buckets[-1]


def _summarize(number: int, counts: _BucketCounts | None) -> Bucket:
    bucket = counts or _BucketCounts(number)
    return Bucket(
        at=datetime.fromtimestamp(number * BUCKET_SECONDS, UTC),
        observed=counts is not None,
        requests=bucket.requests,
        errors=bucket.errors.total(),
        latency_ms=_compute_percentiles(bucket.latency),
        stages={phase: _compute_percentiles(values) for phase, values in bucket.phases.items()},
    )


def _add_up(buckets: Iterable[_BucketCounts]) -> Totals:
    """Return the sums of all buckets; of many samples every n-th is used."""
    kept = list(buckets)
    samples = [value for bucket in kept for value in bucket.latency]
    return Totals(
        requests=sum(bucket.requests for bucket in kept),
        errors=sum(bucket.errors.total() for bucket in kept),
        latency_ms=_compute_percentiles(samples[:: 1 + len(samples) // TOTAL_SAMPLES]),
    )


def _compute_percentiles(values: Sequence[float]) -> Percentiles:
    """Return the nearest-rank percentiles; each is None without values."""
    ordered = sorted(values)

    def at(share: float) -> float | None:
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None

    return Percentiles(p50=at(0.5), p95=at(0.95), p99=at(0.99))
