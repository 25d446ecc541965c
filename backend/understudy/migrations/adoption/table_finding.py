"""A difference between the table and the documented one, and how far it may be repaired."""

from dataclasses import dataclass
from enum import StrEnum

from understudy.errors import UnderstudyError

TABLE = "ml_models"
INDEX = "ml_models_one_active"


@dataclass(frozen=True)
class Repair:
    """Says what a caller allows to be repaired.

    Missing columns, keys and indexes are always added. `change_rows` allows to number rows without an id.
    `keep_active` is the id of the one row that stays active where several are.
    """

    change_rows: bool = False
    keep_active: int | None = None


ADD_ONLY = Repair()


class AdoptionOutcome(StrEnum):
    """Says what became of a difference.

    `noted` works all the same and stays as it is. `open` was only examined, or its repair would lose data.
    """

    REPAIRED = "repaired"
    NOTED = "noted"
    OPEN = "open"


@dataclass(frozen=True)
class TableFinding:
    """A difference from the documented table; `remedy` is for a person, None where the doctor's general one fits."""

    code: str
    detail: str
    outcome: AdoptionOutcome
    remedy: str | None = None
    sql: str | None = None

    @classmethod
    def from_repair(cls, code: str, detail: str, *, repaired: bool, sql: str | None = None) -> "TableFinding":
        """Return a finding that is `repaired`, or `open` otherwise; `sql` is the statement that repairs it."""
        return cls(code, detail, AdoptionOutcome.REPAIRED if repaired else AdoptionOutcome.OPEN, sql=sql)

    @classmethod
    def from_refusal(cls, error: UnderstudyError) -> "TableFinding":
        """Return the finding of an error that keeps the table from being adopted."""
        return cls(error.code, error.detail, AdoptionOutcome.OPEN, error.remedy)
