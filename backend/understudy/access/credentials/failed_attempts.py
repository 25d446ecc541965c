"""Slows down those who guess passwords and keys."""

import ipaddress
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import LRUCache

from understudy.errors import TooManyAttempts

_FREE_FOR_NAME = 5
_FREE_FOR_ADDRESS = 20
_LONGEST_WAIT = 300.0
_FORGET_SECONDS = 3600.0
_MOST_ENTRIES = 10_000


@dataclass
class _Failures:
    count: int = 0
    last: float = 0.0
    until: float = 0.0


class FailedAttempts:
    """Counts failures by name and by network address, each with a wait that doubles after the free ones.

    A name at an address from which it has signed in before has a counter of its own: nobody else can lock a person out
    of their own machine.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: LRUCache[tuple[str, str], _Failures] = LRUCache(_MOST_ENTRIES)
        self._known: LRUCache[tuple[str, str], bool] = LRUCache(_MOST_ENTRIES)

    def check(self, address: str, login: str | None = None) -> None:
        """Raises TooManyAttempts while the address, or the name, must wait."""
        now = self._clock()
        found = (self._failures.get(key) for key, _ in self._list_counters(address, login))
        wait = max((each.until - now for each in found if each is not None), default=0.0)
        if wait > 0:
            raise TooManyAttempts("Too many attempts failed in a row.", retry_after=math.ceil(wait))

    def record_failure(self, address: str, login: str | None = None) -> int:
        """Note a failure and return how many there were in a row."""
        return max(self._add(key, free) for key, free in self._list_counters(address, login))

    def record_success(self, address: str, login: str) -> None:
        """Forget the failures, and know from now on that the person uses this address."""
        for key, _ in self._list_counters(address, login):
            self._failures.pop(key, None)
        self._known[(login, _find_network(address))] = True

    def _list_counters(self, address: str, login: str | None) -> list[tuple[tuple[str, str], int]]:
        """Return the counters that an attempt belongs to, each with the number of failures that are free."""
        network = _find_network(address)
        if login is None:
            return [(("address", network), _FREE_FOR_ADDRESS)]
        if (login, network) in self._known:
            return [((network, login), _FREE_FOR_NAME)]
        return [(("name", login), _FREE_FOR_NAME), (("address", network), _FREE_FOR_ADDRESS)]

    def _add(self, key: tuple[str, str], free: int) -> int:
        now = self._clock()
        found = self._failures.get(key)
        if found is None or now - found.last > _FORGET_SECONDS:
            found = _Failures()
        found.count += 1
        found.last = now
        if found.count >= free:
            found.until = now + min(_LONGEST_WAIT, 2.0 ** min(found.count - free, 20))
        self._failures[key] = found
        return found.count


def _find_network(address: str) -> str:
    """Return an IPv4 address itself, and of an IPv6 address the network /64, which one client has as a whole."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
