"""Hashes and checks passwords with argon2id."""

from functools import cached_property
from typing import TYPE_CHECKING

from anyio import CapacityLimiter
from anyio.to_thread import run_sync

from understudy.errors import PasswordRefused
from understudy.schemas.access.account import LONGEST_PASSWORD, SHORTEST_PASSWORD
from understudy.settings import Settings

if TYPE_CHECKING:
    from argon2 import PasswordHasher

# Hashes at once: each holds its memory and a core.
_AT_ONCE = 2


class Passwords:
    """Computes hashes on threads, a few at once.

    A wrong name takes as long as a wrong password, so that nobody learns from the time which names exist.
    """

    def __init__(self, settings: Settings) -> None:
        self._memory_kib = settings.password_memory_kib
        self._passes = settings.password_passes
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """Return the hash to store. Raises PasswordRefused for a password that is too short or too long."""
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise PasswordRefused(f"The password has {len(password)} characters.")
        return await run_sync(self._hasher.hash, password, limiter=self._limiter)

    async def check(self, password: str, stored: str | None) -> bool:
        """Return whether the password has the stored hash; without one, take as long and return False."""
        if self._decoy is None:
            self._decoy = await run_sync(self._hasher.hash, "decoy", limiter=self._limiter)
        matches = await run_sync(self._matches, stored or self._decoy, password, limiter=self._limiter)
        return matches and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Return whether the settings ask for another cost than the hash has."""
        return self._hasher.check_needs_rehash(stored)

    def _matches(self, stored: str, password: str) -> bool:
        from argon2.exceptions import InvalidHashError, VerificationError

        try:
            return self._hasher.verify(stored, password)
        except (InvalidHashError, VerificationError):
            return False

    @cached_property
    def _hasher(self) -> "PasswordHasher":
        from argon2 import PasswordHasher  # here, so that a server without accounts never loads it

        return PasswordHasher(time_cost=self._passes, memory_cost=self._memory_kib, parallelism=1)

    @cached_property
    def _limiter(self) -> CapacityLimiter:
        return CapacityLimiter(_AT_ONCE)
