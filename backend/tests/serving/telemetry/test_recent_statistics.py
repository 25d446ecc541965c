"""Answers and refusals are recorded once, in buckets of time and in the counters."""

import asyncio
import tracemalloc

import pytest

from understudy.schemas.inference.prediction import AudioFacts, Event, ModelIdentity, Prediction, Timing
from understudy.serving.telemetry.counters import Counters
from understudy.serving.telemetry.recent_statistics import BUCKET_SECONDS, KEPT_BUCKETS, SAMPLES, RecentStatistics

TIMING = Timing(queue=1, decode=2, features=3, inference=4)


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counters() -> Counters:
    return Counters()


@pytest.fixture
def recent_statistics(clock: Clock, counters: Counters, monkeypatch: pytest.MonkeyPatch) -> RecentStatistics:
    statistics = RecentStatistics(counters)
    monkeypatch.setattr(statistics, "_clock", clock)
    return statistics


def test_answers_fall_into_the_bucket_of_their_time(recent_statistics: RecentStatistics, clock: Clock) -> None:
    for milliseconds in range(1, 101):
        recent_statistics.record_answer(float(milliseconds), TIMING)
    clock.now += BUCKET_SECONDS
    recent_statistics.record_refusal("not_audio")
    before, now = recent_statistics.summary(minutes=BUCKET_SECONDS * 2 / 60).buckets
    assert (before.requests, before.errors, now.requests, now.errors) == (100, 0, 0, 1)
    assert (before.latency_ms.p50, before.latency_ms.p95, before.latency_ms.p99) == (50, 95, 99)
    assert {phase: found.p50 for phase, found in before.stages.items()} == TIMING.model_dump()
    assert now.latency_ms.p50 is None


def test_every_answer_is_counted_and_only_the_first_of_a_bucket_are_sampled(
    recent_statistics: RecentStatistics, counters: Counters
) -> None:
    for _ in range(SAMPLES):
        recent_statistics.record_answer(10, TIMING)
    for _ in range(SAMPLES):
        recent_statistics.record_answer(20, TIMING)
    recent_statistics.record_refusal("not_audio")
    [bucket] = recent_statistics.summary(minutes=BUCKET_SECONDS / 60).buckets
    assert (bucket.requests, bucket.latency_ms.p99) == (2 * SAMPLES, 10)
    seconds = {phase: histogram.read()[1] for phase, histogram in counters.phases.items()}
    expected = {"queue": 2.0, "decode": 4.0, "features": 6.0, "inference": 8.0, "total": 30.0}
    assert seconds == pytest.approx(expected)
    assert {histogram.read()[0][-1] for histogram in counters.phases.values()} == {(float("inf"), 2 * SAMPLES)}
    assert counters.refusals == {"not_audio": 1}


def test_an_hour_of_many_answers_takes_few_megabytes(recent_statistics: RecentStatistics, clock: Clock) -> None:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(4 * SAMPLES):
            if number % SAMPLES == 0:
                clock.now += BUCKET_SECONDS
            recent_statistics.record_answer(number + 0.5, TIMING.model_copy(update={"queue": number + 0.25}))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / 4 * KEPT_BUCKETS < 20e6


def test_quiet_stretches_are_shown_as_empty_buckets(recent_statistics: RecentStatistics, clock: Clock) -> None:
    recent_statistics.record_refusal("not_audio")
    clock.now += 5 * BUCKET_SECONDS
    recent_statistics.record_refusal("not_audio")
    summary = recent_statistics.summary(minutes=1)
    assert [bucket.errors for bucket in summary.buckets] == [1, 0, 0, 0, 0, 1]
    assert summary.errors_by_code == {"not_audio": 2}


def test_what_is_older_than_asked_for_is_left_out(recent_statistics: RecentStatistics, clock: Clock) -> None:
    recent_statistics.record_refusal("not_audio")
    clock.now += 3600
    assert recent_statistics.summary(minutes=15).errors_by_code == {}


def test_time_in_which_the_process_did_not_run_differs_from_time_without_requests(
    recent_statistics: RecentStatistics, clock: Clock
) -> None:
    recent_statistics.record_refusal("not_audio")
    clock.now += BUCKET_SECONDS
    recent_statistics.summary(minutes=1)  # it runs, and nothing is asked of it
    clock.now += 3 * BUCKET_SECONDS  # it is stopped
    buckets = recent_statistics.summary(minutes=BUCKET_SECONDS * 6 / 60).buckets
    assert [bucket.observed for bucket in buckets] == [False, True, True, False, False, True]


@pytest.mark.anyio
async def test_the_watch_records_that_an_idle_process_runs(recent_statistics: RecentStatistics, clock: Clock) -> None:
    watching = asyncio.create_task(recent_statistics.watch())
    await asyncio.sleep(0)
    watching.cancel()
    clock.now += BUCKET_SECONDS
    before, _ = recent_statistics.summary(minutes=BUCKET_SECONDS * 2 / 60).buckets
    assert before.observed


def test_the_totals_are_those_of_all_buckets(recent_statistics: RecentStatistics, clock: Clock) -> None:
    for milliseconds in range(1, 51):
        recent_statistics.record_answer(float(milliseconds), TIMING)
    clock.now += BUCKET_SECONDS
    for milliseconds in range(51, 101):
        recent_statistics.record_answer(float(milliseconds), TIMING)
    recent_statistics.record_refusal("not_audio")
    total = recent_statistics.summary(minutes=1).total
    assert (total.requests, total.errors, total.latency_ms.p50, total.latency_ms.p95) == (100, 1, 50, 95)
    assert recent_statistics.summary(minutes=BUCKET_SECONDS / 60).total.requests == 50


def _build_prediction(generation: int | None, *events: Event) -> Prediction:
    return Prediction(
        label="dog",
        score=0.2,
        scores={"dog": 0.2},
        windows=(),
        events=events,
        audio=AudioFacts(
            duration_seconds=1,
            sample_rate=16_000,
            channels=1,
            codec="pcm_s16le",
            level_dbfs=-20,
            peak_dbfs=-3,
            silent=False,
            clipped=False,
        ),
        model=ModelIdentity(model_id=1, model_name="head", version=None, digest="ab", precision="float32"),
        generation=generation,
        warnings=(),
        findings=(),
        timing_ms=TIMING,
        source="gate",
    )


def test_the_last_event_is_the_highest_of_the_last_recording_that_the_live_model_answered(
    recent_statistics: RecentStatistics, clock: Clock
) -> None:
    low = Event(label="dog", start=0, end=1, peak=0.6)
    high = Event(label="rain", start=1, end=2, peak=0.9)
    assert recent_statistics.summary(minutes=1).last_event is None
    recent_statistics.record_events(_build_prediction(7, low, high))
    recent_statistics.record_events(_build_prediction(7))
    recent_statistics.record_events(_build_prediction(None, low))
    last = recent_statistics.summary(minutes=1).last_event
    assert last is not None
    assert (last.label, last.score, last.source, last.at.timestamp()) == ("rain", 0.9, "gate", clock.now)
