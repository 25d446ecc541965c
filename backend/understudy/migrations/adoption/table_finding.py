"""What an examination of a hand-made table says."""

from dataclasses import dataclass
from enum import StrEnum

TABLE = "ml_models"
INDEX = "ml_models_one_active"


class AdoptionOutcome(StrEnum):
    REPAIRED = "repaired"
    NOTED = "noted"  # differs from the document, works all the same, left as it is
    OPEN = "open"  # not repaired: by choice (examination only) or because data would be lost


@dataclass(frozen=True)
class TableFinding:
    code: str
    detail: str
    outcome: AdoptionOutcome

    @classmethod
    def of(cls, code: str, detail: str, *, repaired: bool) -> "TableFinding":
        return cls(code, detail, AdoptionOutcome.REPAIRED if repaired else AdoptionOutcome.OPEN)
