"""One thing that is wrong."""

from dataclasses import dataclass, replace
from enum import StrEnum


class FindingState(StrEnum):
    OPEN = "open"
    FIXED = "fixed"
    NOTED = "noted"  # differs from what is documented and works all the same


@dataclass(frozen=True)
class Finding:
    """`where` is a path, an address or a model; `remedy` is for a finding that stays open."""

    code: str
    where: str
    what: str
    remedy: str
    state: FindingState = FindingState.OPEN

    def fixed(self) -> "Finding":
        return replace(self, state=FindingState.FIXED)
