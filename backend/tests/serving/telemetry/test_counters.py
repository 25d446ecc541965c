"""A distribution counts values as Prometheus' histograms do."""

from understudy.serving.telemetry.counters import Distribution


def test_a_bucket_holds_everything_up_to_its_bound() -> None:
    distribution = Distribution((1.0, 2.0))
    for value in (1.0, 1.5, 3.0):
        distribution.observe(value)
    assert distribution.read() == ([(1.0, 1), (2.0, 2), (float("inf"), 3)], 5.5)
