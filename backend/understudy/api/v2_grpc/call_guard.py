"""Finds out who sends a call, and holds callers to what they may do and how often."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from urllib.parse import unquote

from understudy.access.access import Access
from understudy.access.actions import PUBLIC, Action
from understudy.access.caller import OPEN, STRANGER, Caller
from understudy.api.access.failed_keys import FailedKeys, read_bearer
from understudy.container import Services
from understudy.errors import LimitReached, NotSignedIn, UnderstudyError


class CallGuard:
    """Does for gRPC what `AccessGuard` does for HTTP. Sessions of browsers do not count here."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._access: Access = services.access
        self._failed_keys = FailedKeys()

    async def identify(self, action: Action, headers: Mapping[str, str], peer: str) -> Caller:
        """Return the caller of a method that needs `action`. Raises NotSignedIn, NotAllowed, Unavailable.

        `peer` is gRPC's name of the other end. Where the method is public a key that does not hold counts as none.
        """
        caller = OPEN
        if self._access.authenticator.is_required:
            try:
                caller = await self._identify(headers, peer)
            except UnderstudyError:
                if action not in PUBLIC:
                    raise
                caller = STRANGER
        caller.require(action)
        return caller

    @contextmanager
    def limit(self, action: Action, caller: Caller) -> Iterator[None]:
        """Count a call that runs while the block does. Raises LimitReached."""
        limits = None if action in PUBLIC else self._access.limits.find(caller)
        if limits is None:
            yield
            return
        with ExitStack() as running:
            try:
                running.enter_context(self._access.limits.enter(caller, limits))
            except LimitReached:
                self._services.counters.limited[caller.kind or "none"] += 1
                raise
            yield

    async def _identify(self, headers: Mapping[str, str], peer: str) -> Caller:
        credential = read_bearer(headers.get("authorization", ""))
        if credential is None:
            raise NotSignedIn("This needs a key: metadata `authorization: Bearer KEY`.")
        try:
            return await self._access.authenticator.identify(credential)
        except NotSignedIn as error:
            await self._failed_keys.record(self._access, find_address(peer), error)
            raise


def find_address(peer: str) -> str:
    """Return the network address in gRPC's name of the other end, such as `ipv6:%5B::1%5D:4711`."""
    kind, _, rest = unquote(peer).partition(":")
    return rest.rpartition(":")[0].strip("[]") if kind in {"ipv4", "ipv6"} else "unknown"
