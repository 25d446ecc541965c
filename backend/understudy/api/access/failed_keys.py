"""Reads bearer keys, and slows down those who guess them."""

import asyncio

from understudy.access.access import Access
from understudy.access.credentials.credential import Credential
from understudy.api.middleware.refusal_log import RefusalLog
from understudy.errors import NotSignedIn

_BEARER = "bearer "

# The answer to a wrong key is held back after that many from the same address.
_FREE_FAILURES = 10
_SLOW_SECONDS = 1.0
_MOST_SLOWED = 200


def read_bearer(authorization: str) -> Credential | None:
    """Return the bearer key or token of an `Authorization` header. Other kinds are a proxy's own."""
    if authorization[: len(_BEARER)].lower() == _BEARER:
        return Credential(authorization[len(_BEARER) :].strip())
    return None


class FailedKeys:
    """The wrong keys that were sent by one way, HTTP or gRPC."""

    def __init__(self) -> None:
        self._log = RefusalLog()
        self._slowed = 0

    async def record(self, access: Access, address: str, error: NotSignedIn) -> None:
        """Log a wrong key or token, and wait where there were many from the same address."""
        failures = access.attempts.record_failure(f"bearer {address}")
        self._log.record(error, address=address)
        if failures > _FREE_FAILURES and self._slowed < _MOST_SLOWED:
            self._slowed += 1
            try:
                await asyncio.sleep(_SLOW_SECONDS)
            finally:
                self._slowed -= 1
