"""Limits how much one principal asks for, on top of the server's own queue."""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from cachetools import LRUCache

from understudy.access.caller import Caller, Limits
from understudy.errors import LimitReached
from understudy.settings import Settings

_MOST_PRINCIPALS = 10_000


@dataclass
class _Bucket:
    """Holds as many tokens as requests that may come at once; they are filled up at the caller's rate."""

    tokens: float
    filled: float


class RequestLimits:
    """The requests of each principal in this process. Each process of a registry counts by itself."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._rates: Mapping[str, float] = dict(settings.request_limits.items())
        self._most_at_once: Mapping[str, int] = dict(settings.concurrency_limits.items())
        self._clock = clock
        self._buckets: LRUCache[int, _Bucket] = LRUCache(_MOST_PRINCIPALS)
        self._running: Counter[int] = Counter()

    def find(self, caller: Caller) -> Limits | None:
        """Return the limits of a caller, or None without one."""
        if caller.principal_id is None or caller.role is None:
            return None
        own = caller.limits
        rate = own.requests_per_second or self._rates.get(caller.role)
        most = own.concurrent_requests or self._most_at_once.get(caller.role)
        return None if rate is None and most is None else Limits(rate, most)

    @contextmanager
    def enter(self, caller: Caller, limits: Limits, *, works: bool = True) -> Iterator[None]:
        """Count a request, which runs while the block does; one that does not work takes no place among the running.

        Raises LimitReached before anything else happens, with the time after which the caller may try again.
        """
        assert caller.principal_id is not None  # noqa: S101  # `find` gave no limits else
        key, most = caller.principal_id, limits.concurrent_requests
        if works and most is not None and self._running[key] >= most:
            raise LimitReached(f"{caller.name} has {most} requests running, as many as it may.")
        if limits.requests_per_second is not None:
            self._take_token(key, limits.requests_per_second, caller)
        if not works:
            yield
            return
        self._running[key] += 1
        try:
            yield
        finally:
            self._running[key] -= 1
            if not self._running[key]:
                del self._running[key]

    def _take_token(self, key: int, rate: float, caller: Caller) -> None:
        now, most = self._clock(), max(1.0, rate)
        bucket = self._buckets.get(key) or _Bucket(most, now)
        bucket.tokens = min(most, bucket.tokens + (now - bucket.filled) * rate)
        bucket.filled = now
        self._buckets[key] = bucket
        if bucket.tokens < 1.0:
            wait = math.ceil((1.0 - bucket.tokens) / rate)
            raise LimitReached(f"{caller.name} may send {rate:g} requests a second.", retry_after=max(1, wait))
        bucket.tokens -= 1.0
