import pytest

from benchmarks.load import LoadError, parse

SUMMARY = """\
Running 2s test @ http://127.0.0.1:8000/hear
  1 threads and 8 connections
Requests/sec:  500.00

{"requests": 1000, "seconds": 2.0, "failures": 0, "timeouts": 0, "refused": %d, "p50": 1.5, "p90": 2, "p99": 4, \
"longest": 9.5}
"""


def test_the_summary_is_read_from_the_last_line() -> None:
    load = parse(SUMMARY % 0, "", cpu_seconds=0.5)
    assert (load.rate, load.p50, load.p99, load.longest, load.cpu) == (500.0, 1.5, 4.0, 9.5, 0.25)
    assert load.problem is None


def test_refused_requests_are_no_answers() -> None:
    assert parse(SUMMARY % 3, "", cpu_seconds=0.0).problem == "3 of 1000 requests failed"


def test_a_load_without_any_answer_says_so() -> None:
    said = SUMMARY.replace('"requests": 1000', '"requests": 0').replace("%d", "0")
    assert parse(said, "", cpu_seconds=0.0).problem == "no answer at all"


def test_what_wrk_complains_about_is_told() -> None:
    with pytest.raises(LoadError, match="unable to connect"):
        parse("", "unable to connect to 127.0.0.1:1 Connection refused\n", cpu_seconds=0.0)
