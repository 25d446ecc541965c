import math

from benchmarks.results import Figure, Result
from benchmarks.tables import cell, listing, markdown, problems, ratio


def test_a_cell_shows_the_median_and_the_spread() -> None:
    assert cell(Figure.of("1/s", 1210.4, 1190.0, 1350.0)) == "1,210 (1,190 to 1,350)"


def test_one_value_has_no_spread() -> None:
    assert cell(Figure.of("ms", 3.14159)) == "3.14"
    assert cell(Figure.of("", 0, 0, 0)) == "0"


def test_what_was_not_measured_stays_empty() -> None:
    assert cell(None) == "-"
    assert cell(Figure.of("ms", math.nan)) == "-"


def test_a_ratio_is_one_of_medians() -> None:
    assert ratio(Figure.of("1/s", 10, 30, 20), Figure.of("1/s", 5, 100, 10)) == 2
    assert math.isnan(ratio(Figure.of("1/s", 10), None))
    assert math.isnan(ratio(Figure.of("1/s", 10), Figure.of("1/s", 0)))


def test_figures_stand_to_the_right() -> None:
    assert (
        markdown(("who", "rate", "with"), [("a", "1.5 (1 to 2)", "numpy 2")]).splitlines()[1] == "| :-- | --: | :-- |"
    )


def test_a_listing_has_a_column_a_figure_and_leaves_out_what_failed() -> None:
    results = [
        Result("start", "start", "understudy", {"ready": Figure.of("s", 0.5)}),
        Result("start", "start", "ray", {"ready": Figure.of("s", 8), "RSS": Figure.of("MB", 1900)}),
        Result("start", "start", "mlflow", problem="ended with 1"),
    ]
    assert listing(results).splitlines() == [
        "| case | who | ready, s | RSS, MB |",
        "| :-- | :-- | --: | --: |",
        "| start | Understudy | 0.50 | - |",
        "| start | Ray Serve | 8 | 1,900 |",
    ]


def test_a_problem_takes_one_line_however_long_its_traceback() -> None:
    [line] = problems([Result("predict", "1 s", "ray", problem="ended with 1:\n  boom", connections=8)])
    assert line == "- **Ray Serve**, predict, 1 s, 8 connections: ended with 1: boom"
