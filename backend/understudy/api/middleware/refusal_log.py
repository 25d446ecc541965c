"""Logs refused requests, a few each minute: a page can make a browser send as many as it likes."""

import time
from collections.abc import Callable

import structlog

from understudy.errors import UnderstudyError

log = structlog.get_logger()

_SECONDS = 60.0
_MOST_LINES = 10


class RefusalLog:
    """Logs a refused value once a minute, and at most ten lines a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._logged: dict[str, float] = {}
        self._omitted = 0

    def record(self, fault: UnderstudyError, **facts: str) -> None:
        """Log `fault`, its remedy and `facts`, unless its detail was logged within a minute."""
        now = self._clock()
        self._logged = {detail: at for detail, at in self._logged.items() if now - at < _SECONDS}
        if fault.detail in self._logged or len(self._logged) >= _MOST_LINES:
            self._omitted += 1
            return
        self._logged[fault.detail] = now
        log.warning(
            "request refused",
            code=fault.code,
            detail=fault.detail,
            remedy=fault.remedy,
            **facts,
            omitted_before=self._omitted,  # refusals since the last line that have no line of their own
        )
        self._omitted = 0
