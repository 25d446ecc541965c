"""The event streams and WebSockets that are open, each with the right by which it was opened."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from understudy.access.authenticator import Authenticator
from understudy.access.caller import OPEN, STRANGER, Caller
from understudy.access.credentials.credential import Credential
from understudy.errors import NotSignedIn, Unavailable


@dataclass(frozen=True, eq=False)
class _OpenStream:
    credential: Credential | None
    caller: Caller
    end: Callable[[], None]


class OpenStreams:
    """Ends a stream when its caller loses the right, or gets another one: the client then connects anew."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator
        self._streams: set[_OpenStream] = set()

    @contextmanager
    def follow(self, credential: Credential | None, caller: Caller, end: Callable[[], None]) -> Iterator[None]:
        """Call `end` once if the right ends while the block runs."""
        stream = _OpenStream(credential, caller, end)
        self._streams.add(stream)
        try:
            yield
        finally:
            self._streams.discard(stream)

    async def check(self) -> None:
        """End the streams without a right. A stream whose right cannot be looked up now goes on."""
        for stream in list(self._streams):
            with suppress(Unavailable):
                if await self._identify(stream.credential) != stream.caller and stream in self._streams:
                    self._streams.discard(stream)
                    stream.end()

    async def _identify(self, credential: Credential | None) -> Caller:
        if not self._authenticator.is_required:
            return OPEN
        if credential is None:
            return STRANGER
        try:
            return await self._authenticator.identify(credential, is_use=False)
        except NotSignedIn:
            return STRANGER
