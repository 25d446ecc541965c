"""What an examination of a hand-made table says."""

from dataclasses import dataclass
from enum import StrEnum

TABLE = "ml_models"
INDEX = "ml_models_one_active"


class Outcome(StrEnum):
    REPAIRED = "repaired"
    NOTED = "noted"  # differs from the document, works all the same, left as it is
    OPEN = "open"  # not repaired: by choice (examination only) or because data would be lost


@dataclass(frozen=True)
class Finding:
    code: str
    detail: str
    outcome: Outcome

    @classmethod
    def of(cls, code: str, detail: str, *, repaired: bool) -> "Finding":
        return cls(code, detail, Outcome.REPAIRED if repaired else Outcome.OPEN)
