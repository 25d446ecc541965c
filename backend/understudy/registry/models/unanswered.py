"""Remembers registrations whose commit was not answered, so that the retry finds what the first attempt did."""

from dataclasses import dataclass

from cachetools import LRUCache

from understudy.schemas.registry.model import ModelCreate

_REMEMBERED = 1000


@dataclass(frozen=True)
class Attempt:
    """A request to register a model, and the SHA-256 digest of its file in hex."""

    request: ModelCreate
    digest: str


class UnansweredRegistrations:
    """The latest attempts of this process, by the name of the model."""

    def __init__(self) -> None:
        self._attempts: LRUCache[str, tuple[Attempt, int]] = LRUCache(_REMEMBERED)

    def remember(self, attempt: Attempt, model_id: int) -> None:
        """Keep the attempt and the id that its row has where the commit was done."""
        self._attempts[attempt.request.model_name] = attempt, model_id

    def find(self, attempt: Attempt) -> int | None:
        """Return the id of an earlier attempt with the same request and the same file; None without one."""
        known = self._attempts.get(attempt.request.model_name)
        return known[1] if known is not None and known[0] == attempt else None
