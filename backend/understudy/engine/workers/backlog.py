"""Estimates how long the work takes that the workers have not done, and refuses what could not begin in time."""

import math
from dataclasses import dataclass

from understudy.errors import Overloaded

# Before the first answer of a kind: what a recording of 16-bit samples at 16 kHz takes on the front end alone.
_FIRST_SECONDS_A_BYTE = 5e-8
_LEAST_SECONDS = 0.002
_WEIGHT = 0.2  # of the newest answer in the running mean
_MOST_KINDS = 32


@dataclass(eq=False)
class Ticket:
    """One request's share of the backlog."""

    kind: bytes
    size: int
    seconds: float


class Backlog:
    """The cost of a kind is learned as seconds for each byte. Use it on the event loop only."""

    def __init__(self, workers: int, limit_seconds: float) -> None:
        """`limit_seconds` is the longest time that a request may wait before it begins."""
        self._workers = workers
        self._limit = limit_seconds
        self._seconds = 0.0
        self._cost: dict[bytes, float] = {}

    @property
    def wait_seconds(self) -> float:
        """Seconds until the workers have done what they have now."""
        return self._seconds / self._workers

    def admit(self, kind: bytes, size: int, *, refuse: bool) -> Ticket:
        """Return the ticket of a request of `size` bytes, which the caller returns by `leave`.

        With `refuse`, raises Overloaded where the work before it takes longer than a request may wait.
        """
        wait = self.wait_seconds
        if refuse and wait > self._limit:
            raise Overloaded(
                f"The work that waits takes about {wait:.0f} s; a request may wait {self._limit:.0f} s.",
                retry_after=math.ceil(wait - self._limit) or 1,
            )
        seconds = max(_LEAST_SECONDS, size * self._cost.get(kind, _FIRST_SECONDS_A_BYTE))
        self._seconds += seconds
        return Ticket(kind, size, seconds)

    def leave(self, ticket: Ticket, spent: float | None) -> None:
        """Take the request out; `spent` are the seconds of work that its answer took, None for one without answer."""
        self._seconds = max(0.0, self._seconds - ticket.seconds)
        if spent is None:
            return
        cost = spent / max(1, ticket.size)
        known = self._cost.get(ticket.kind)
        if known is not None:
            cost = known + _WEIGHT * (cost - known)
        elif len(self._cost) >= _MOST_KINDS:
            self._cost.clear()
        self._cost[ticket.kind] = cost
