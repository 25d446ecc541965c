"""Holds the conditions of a run, which every group of measurements receives."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.paths import ENVIRONMENTS
from benchmarks.site import Site
from benchmarks.subject import Subject
from benchmarks.subjects import SUBJECTS


@dataclass(frozen=True)
class Bench:
    """One run of the suite: where it may write, how long it measures, and whom.

    `work` is a folder that ends with the run. `seconds` is how long one measurement lasts and `repeats` how often it
    is made; `quick` asks for fewer cases. `subjects` are those that were chosen and could be installed.
    """

    work: Path
    site: Site
    seconds: float
    repeats: int
    quick: bool
    subjects: frozenset[str]

    def python(self, environment: str) -> Path:
        """The interpreter of an environment (`bench`, `mlflow`, …), which exists."""
        return ENVIRONMENTS / environment / "bin" / "python"

    def chosen(self, *names: str) -> Iterator[Subject]:
        """The chosen ones among `names`, or among all."""
        return (subject for name, subject in SUBJECTS.items() if name in self.subjects and name in (names or SUBJECTS))
