"""Says goodbye on the live streams of a replica that Ray ends."""

import asyncio
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from websockets.frames import CloseCode

from understudy.errors import ServerStopping
from understudy.schemas.inference.stream import StreamFailed
from understudy.schemas.server.problem import Problem

_DISCONNECT = {"type": "websocket.disconnect", "code": CloseCode.GOING_AWAY.value}


class OpenSockets:
    """The WebSockets that are open in this process. Use it on one event loop."""

    def __init__(self) -> None:
        self._open: set[_Socket] = set()

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one WebSocket connection of the application."""
        opened = _Socket(receive, send)
        self._open.add(opened)
        try:
            await app(scope, opened.receive, opened.send)
        finally:
            self._open.discard(opened)

    async def close(self) -> int:
        """End every open stream with `server_stopping`, as `understudy serve` does; return how many were ended."""
        return sum([await each.say_goodbye() for each in tuple(self._open)])


class _Socket:
    """One connection. After the goodbye the application receives a disconnect, and sends into nothing."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._accepted = False
        self._closed = False
        self._goodbye = asyncio.Event()

    async def receive(self) -> MutableMapping[str, Any]:
        receiving = asyncio.ensure_future(self._receive())
        leaving = asyncio.ensure_future(self._goodbye.wait())
        try:
            await asyncio.wait((receiving, leaving), return_when=asyncio.FIRST_COMPLETED)
            return dict(_DISCONNECT) if self._goodbye.is_set() else receiving.result()
        finally:
            receiving.cancel()
            leaving.cancel()

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if self._closed:
            return
        self._accepted = self._accepted or message["type"] == "websocket.accept"
        self._closed = message["type"] == "websocket.close"
        await self._send(message)

    async def say_goodbye(self) -> bool:
        """Return whether the stream was open."""
        if self._closed or not self._accepted:
            return False
        self._closed = True
        problem = Problem.model_validate(ServerStopping("The server stops.").problem())
        with suppress(Exception):  # the client may have gone
            await self._send({"type": "websocket.send", "text": StreamFailed(problem=problem).model_dump_json()})
            await self._send({"type": "websocket.close", "code": CloseCode.GOING_AWAY.value, "reason": ""})
        self._goodbye.set()
        return True
