"""A problem that the doctor found."""

from dataclasses import dataclass, replace
from enum import StrEnum


class FindingState(StrEnum):
    """`noted` differs from the document and works all the same."""

    OPEN = "open"
    FIXED = "fixed"
    NOTED = "noted"


@dataclass(frozen=True)
class Finding:
    """A problem: `where` is a path, an address or a model, `what` the problem, `remedy` what a person can do."""

    code: str
    where: str
    what: str
    remedy: str
    state: FindingState = FindingState.OPEN

    def as_fixed(self) -> "Finding":
        """Return the finding in the state `fixed`."""
        return replace(self, state=FindingState.FIXED)
