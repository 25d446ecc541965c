"""A distribution counts values as Prometheus' histograms do."""

from understudy.serving.telemetry.counters import MAX_SOURCES, OTHER_SOURCES, Counters, Distribution


def test_a_bucket_holds_everything_up_to_its_bound() -> None:
    distribution = Distribution((1.0, 2.0))
    for value in (1.0, 1.5, 3.0):
        distribution.observe(value)
    assert distribution.read() == ([(1.0, 1), (2.0, 2), (float("inf"), 3)], 5.5)


def test_a_client_cannot_make_up_any_number_of_sources() -> None:
    counters = Counters()
    counters.count_source(OTHER_SOURCES)
    counters.count_source(None)
    for turn in range(2):
        for number in range(MAX_SOURCES + 10):
            counters.count_source(f"sensor {number}", 1 + turn)
    assert len(counters.sources) == MAX_SOURCES + 1
    assert counters.sources["sensor 0"] == counters.sources[f"sensor {MAX_SOURCES - 1}"] == 3
    assert counters.sources[OTHER_SOURCES] == 1 + 10 + 20
