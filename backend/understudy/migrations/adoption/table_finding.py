"""A difference between the table and the documented one."""

from dataclasses import dataclass
from enum import StrEnum

TABLE = "ml_models"
INDEX = "ml_models_one_active"


class AdoptionOutcome(StrEnum):
    """What became of a difference.

    `noted` works all the same and stays as it is. `open` was only examined, or its repair would lose data.
    """

    REPAIRED = "repaired"
    NOTED = "noted"
    OPEN = "open"


@dataclass(frozen=True)
class TableFinding:
    """A difference from the documented table."""

    code: str
    detail: str
    outcome: AdoptionOutcome

    @classmethod
    def from_repair(cls, code: str, detail: str, *, repaired: bool) -> "TableFinding":
        """Return a finding that is `repaired`, or `open` otherwise."""
        return cls(code, detail, AdoptionOutcome.REPAIRED if repaired else AdoptionOutcome.OPEN)
