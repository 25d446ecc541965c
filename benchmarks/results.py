"""Holds the results of measurements, and writes and reads them as JSON."""

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True)
class Figure:
    """One quantity, measured once or several times, in the order of the runs."""

    unit: str
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("a figure needs at least one value")

    @classmethod
    def of(cls, unit: str, *values: float) -> Self:
        return cls(unit, values)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)


Measured = tuple[dict[str, Figure], str | None]
"""Figures by name, and what was wrong with them."""


@dataclass(frozen=True)
class Result:
    """The figures of one subject in one case.

    `group` is the table (predict, tensor, swap, start, registry), `case` its row, `subject` who was measured
    (ceiling, understudy, litserve, …), `connections` how many requests were under way at once, where that varies.
    `problem` says why figures are missing or must not be trusted.
    """

    group: str
    case: str
    subject: str
    figures: Mapping[str, Figure] = field(default_factory=dict)
    problem: str | None = None
    connections: int | None = None


@dataclass
class Run:
    """Everything that one run of the suite found; `machine` and `versions` are facts by name."""

    started_at: str
    machine: dict[str, str]
    versions: dict[str, dict[str, str]]
    results: list[Result] = field(default_factory=list)

    def of(self, group: str) -> list[Result]:
        return [result for result in self.results if result.group == group]

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises ValueError or KeyError for a file that `save` did not write."""
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        results = [_result(entry) for entry in document.pop("results")]
        return cls(**document, results=results)


def combined(runs: Iterable[Mapping[str, float]], units: Mapping[str, str]) -> dict[str, Figure]:
    """Figures by name from repeated runs, each of which gave one value a name; `units` names those that are kept."""
    listed = list(runs)
    return {name: Figure(unit, tuple(run[name] for run in listed)) for name, unit in units.items()}


def merge(runs: Sequence[Measured]) -> Measured:
    """All values of runs that have the same figures, in their order, and all that was wrong."""
    figures = {
        name: Figure(figure.unit, tuple(value for each, _ in runs for value in each[name].values))
        for name, figure in runs[0][0].items()
    }
    return figures, "; ".join(problem for _, problem in runs if problem) or None


def _result(entry: dict[str, Any]) -> Result:
    figures = {name: Figure(each["unit"], tuple(each["values"])) for name, each in entry.pop("figures").items()}
    return Result(**entry, figures=figures)
