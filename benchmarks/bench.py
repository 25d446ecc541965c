"""What a group of measurements is given."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENTS = ROOT / "benchmarks" / ".envs"


@dataclass(frozen=True)
class Bench:
    """One run of the suite: where it may write, how long it measures, and whom.

    `work` is an empty folder that ends with the run. `seconds` is how long one measurement lasts and `repeats` how
    often it is made; `quick` asks for fewer cases. `subjects` are the peers that were chosen and could be installed.
    """

    work: Path
    seconds: float
    repeats: int
    quick: bool
    subjects: frozenset[str]

    def python(self, environment: str) -> Path:
        """The interpreter of an environment (`bench`, `mlflow`, …), which exists."""
        return ENVIRONMENTS / environment / "bin" / "python"
