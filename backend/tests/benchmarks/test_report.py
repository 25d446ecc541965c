from pathlib import Path

import pytest

from benchmarks.pressure import P50, P99, RATE, SERVER_CPU, WRK_CPU
from benchmarks.report import write_report
from benchmarks.results import Figure, Result, Run, combined, merge


def heard(subject: str, *rates: float, problem: str | None = None) -> Result:
    figures = {name: Figure.of("ms", 2.0) for name in (P50, P99, SERVER_CPU, WRK_CPU)}
    return Result("predict", "1 s wav", subject, figures | {RATE: Figure("1/s", rates)}, problem, connections=8)


@pytest.fixture
def run() -> Run:
    ceiling = Result("predict", "1 s wav", "ceiling", {RATE: Figure.of("1/s", 990, 1000, 1010)})
    results = [heard("understudy", 880, 900, 920), heard("mlflow", 100, problem="answers cry 0.4"), ceiling]
    swap = Result("swap", "a small head", "understudy", {"stale": Figure.of("", 0)})
    machine = {"processor": "some processor"}
    return Run("2026-01-01T00:00+00:00", machine, {"bench": {"numpy": "2.4", "six": "1"}}, [*results, swap])


def test_the_page_shows_shares_of_the_ceiling_and_ratios(run: Run, tmp_path: Path) -> None:
    page = write_report(run, tmp_path, with_plots=False).read_text()
    assert "| 1 s wav | 8 | 1,000 (990 to 1,010) | 900 (880 to 920) | 90 % |" in page
    assert "| 1 s wav | 8 | MLflow | 100 | 10 % | 9 x |" in page
    assert "| a small head | Understudy | 0 |" in page


def test_the_page_flags_who_answered_wrongly(run: Run, tmp_path: Path) -> None:
    page = write_report(run, tmp_path, with_plots=False).read_text()
    assert "- **MLflow**, predict, 1 s wav, 8 connections: answers cry 0.4" in page


def test_the_page_can_be_written_again_from_its_json(run: Run, tmp_path: Path) -> None:
    first = write_report(run, tmp_path / "a", with_plots=False).read_text()
    loaded = Run.load(tmp_path / "a" / "results.json")
    assert loaded == run
    assert write_report(loaded, tmp_path / "b", with_plots=False).read_text() == first


def test_repeated_runs_become_one_figure_a_name() -> None:
    figures = combined([{"p50": 1, "kept": 9}, {"p50": 3, "kept": 9}], {"p50": "ms"})
    assert figures == {"p50": Figure.of("ms", 1, 3)}


def test_a_figure_without_values_is_none() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Figure.of("ms")


def test_merged_turns_keep_every_value_in_order_and_every_problem() -> None:
    turns = [
        ({"rate": Figure.of("1/s", value)}, problem) for value, problem in ((3.0, None), (1.0, "late"), (2.0, None))
    ]
    assert merge(turns) == ({"rate": Figure("1/s", (3.0, 1.0, 2.0))}, "late")
