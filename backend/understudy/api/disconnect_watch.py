"""Cancels the work of a request whose client has gone."""

import asyncio
from types import TracebackType

from starlette.requests import ClientDisconnect
from starlette.types import Receive

# Shorter work ends before anybody could gain from its end, and is not watched.
_SECONDS = 0.05


class DisconnectWatch:
    """Cancels the block when the client closes the connection, and raises ClientDisconnect then.

    Enter it when the body has been received: the watch reads what comes after it. A block that ends within 50 ms costs
    one timer.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._watcher: asyncio.Task[None] | None = None
        self._gone = False

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # a coroutine runs in a task
        self._task = task
        self._cancelling = task.cancelling()
        self._timer = asyncio.get_running_loop().call_later(_SECONDS, self._start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        if self._gone and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise ClientDisconnect from error

    def _start(self) -> None:
        self._watcher = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        self._task.cancel()
