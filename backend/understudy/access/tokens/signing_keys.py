"""Reads the public keys with which another service signs its tokens (JWKS, RFC 7517)."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import structlog

from understudy.access.tokens.fetch_document import fetch_document
from understudy.errors import IssuerUnavailable, NotSignedIn

if TYPE_CHECKING:
    from jwt import PyJWK

log = structlog.get_logger()

_RENEW_SECONDS = 600.0
# Tokens may name any key: the issuer is not asked more often than that for one that is unknown.
_ASK_AGAIN_SECONDS = 10.0

Fetch = Callable[[str], Awaitable[bytes]]


class SigningKeys:
    """The issuer's keys by their ids, read when needed. While the issuer does not answer, the old ones hold."""

    def __init__(self, url: str, *, fetch: Fetch | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.url = url
        self._fetch = fetch or fetch_document
        self._clock = clock
        self._keys: dict[str | None, PyJWK] = {}
        self._asked: float | None = None
        self._read: float | None = None
        self._lock = asyncio.Lock()

    async def find(self, key_id: str | None) -> "PyJWK":
        """Return the key with this id; without an id, the only key.

        Raises NotSignedIn for an unknown id, and IssuerUnavailable where the keys were never read.
        """
        async with self._lock:
            now = self._clock()
            is_old = self._read is None or now - self._read > _RENEW_SECONDS
            may_ask = self._asked is None or now - self._asked > _ASK_AGAIN_SECONDS
            if may_ask and (is_old or self._choose(key_id) is None):
                self._asked = now
                await self._renew()
        if not self._keys:
            raise IssuerUnavailable("The keys of the issuer of this token cannot be read.")
        if (found := self._choose(key_id)) is None:
            raise NotSignedIn("The issuer has no such key as the one that signed the token.")
        return found

    def _choose(self, key_id: str | None) -> "PyJWK | None":
        if key_id is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(key_id)

    async def _renew(self) -> None:
        from jwt import PyJWKSet, PyJWTError

        try:
            document = await self._fetch(self.url)
            keys = PyJWKSet.from_dict(json.loads(document)).keys
        except (OSError, ValueError, TypeError, AttributeError, PyJWTError) as error:
            log.warning("signing keys not read", url=self.url, error=f"{type(error).__name__}: {error}")
            return
        # A secret among public keys is a mistake, and never signs a token here.
        self._keys = {key.key_id: key for key in keys if key.key_type != "oct"}
        self._read = self._clock()
