"""Counts in buckets of time."""

import pytest

from understudy.schemas.inference.prediction import Timing
from understudy.serving.telemetry.counters import Metrics
from understudy.serving.telemetry.recent_statistics import BUCKET_SECONDS, Traffic

TIMING = Timing(queue=1, decode=2, features=3, inference=4)


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def traffic(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Traffic:
    traffic = Traffic(Metrics())
    monkeypatch.setattr(traffic, "_clock", clock)
    return traffic


def test_answers_fall_into_the_bucket_of_their_time(traffic: Traffic, clock: Clock) -> None:
    for milliseconds in range(1, 101):
        traffic.answered(float(milliseconds), TIMING)
    clock.now += BUCKET_SECONDS
    traffic.refused("not_audio")
    before, now = traffic.summary(minutes=BUCKET_SECONDS * 2 / 60).buckets
    assert (before.requests, before.errors, now.requests, now.errors) == (100, 0, 0, 1)
    assert (before.latency_ms.p50, before.latency_ms.p95, before.latency_ms.p99) == (50, 95, 99)
    assert before.stages["decode"].p50 == 2
    assert now.latency_ms.p50 is None


def test_quiet_stretches_are_shown_as_empty_buckets(traffic: Traffic, clock: Clock) -> None:
    traffic.refused("not_audio")
    clock.now += 5 * BUCKET_SECONDS
    traffic.refused("not_audio")
    summary = traffic.summary(minutes=1)
    assert [bucket.errors for bucket in summary.buckets] == [1, 0, 0, 0, 0, 1]
    assert summary.errors_by_code == {"not_audio": 2}


def test_what_is_older_than_asked_for_is_left_out(traffic: Traffic, clock: Clock) -> None:
    traffic.refused("not_audio")
    clock.now += 3600
    assert traffic.summary(minutes=15).errors_by_code == {}
