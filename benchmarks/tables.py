"""Figures as cells and Markdown tables."""

import math
import statistics
from collections.abc import Sequence

from benchmarks.results import Figure, Result

NAMES = {
    "ceiling": "in-process ceiling",
    "understudy": "Understudy",
    "understudy (form)": "Understudy, form upload",
    "understudy (SQLite)": "Understudy on SQLite",
    "understudy (PostgreSQL)": "Understudy on PostgreSQL",
    "fastapi": "FastAPI + ONNX Runtime",
    "litserve": "LitServe",
    "bentoml": "BentoML",
    "mlserver": "MLServer",
    "ray": "Ray Serve",
    "mlflow": "MLflow",
    "keras": "Keras in a route by hand",
    "threads": "Understudy without worker processes",
}


def name_of(subject: str) -> str:
    return NAMES.get(subject, subject)


def number(value: float) -> str:
    """Three significant digits; nothing for what is not a number."""
    if math.isnan(value):
        return "-"
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def cell(figure: Figure | None) -> str:
    """The median, and the least and the most where it was measured several times."""
    if figure is None:
        return "-"
    if len(figure.values) == 1 or figure.low == figure.high:
        return number(figure.median)
    return f"{number(figure.median)} ({number(figure.low)} to {number(figure.high)})"


def ratio(figure: Figure | None, other: Figure | None) -> float:
    """Median of the ratios of each turn, or the ratio of the medians where they had another number of turns.

    Not a number where one is missing.
    """
    if not figure or not other or not all(other.values):
        return float("nan")
    if len(figure.values) != len(other.values):
        return figure.median / other.median
    return statistics.median(one / two for one, two in zip(figure.values, other.values, strict=True))


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns whose cells all begin like numbers, or are empty, stand to the right; the first never does."""
    columns = list(zip(*rows, strict=True)) or [()] * len(head)
    figures = [all(not text or text[0] in "-0123456789" for text in column) for column in columns]
    marks = ["--:" if right and index else ":--" for index, right in enumerate(figures)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, marks, *rows))


def listing(results: Sequence[Result]) -> str:
    """One row a result, one column a figure, for groups that need nothing special."""
    good = [result for result in results if result.figures]
    columns = list(dict.fromkeys((name, figure.unit) for result in good for name, figure in result.figures.items()))
    spread = any(result.connections for result in good)
    head = ["case", "who", *(["connections"] if spread else [])]
    head += [f"{name}, {unit}" if unit else name for name, unit in columns]
    rows = []
    for result in good:
        row = [result.case, name_of(result.subject), *([str(result.connections or "-")] if spread else [])]
        rows.append(row + [cell(result.figures.get(name)) for name, _ in columns])
    return markdown(head, rows)


def problems(results: Sequence[Result]) -> list[str]:
    """List the measurements that failed or cannot be trusted, a line each."""
    return [
        f"- **{name_of(result.subject)}**, {result.group}, {result.case}"
        + (f", {result.connections} connections" if result.connections else "")
        + f": {' '.join(result.problem.split())}"
        for result in results
        if result.problem
    ]
