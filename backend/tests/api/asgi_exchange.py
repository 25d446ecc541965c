"""One request or WebSocket, sent to an application without a server: endless answers can be read while they run."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from starlette.types import ASGIApp, Message

_HOST = ("host", "localhost")


@dataclass
class AsgiExchange:
    """Sends the request when it is entered and cancels what still runs when it is left."""

    app: ASGIApp
    path: str
    method: str = "GET"
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    websocket: bool = False
    client: tuple[str, int] = ("127.0.0.1", 50000)

    def __post_init__(self) -> None:
        self.sent: asyncio.Queue[Message] = asyncio.Queue()
        self.received: asyncio.Queue[Message] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        first: Message = {"type": "websocket.connect"}
        if not self.websocket:
            first = {"type": "http.request", "body": self.body, "more_body": False}
        self.received.put_nowait(first)
        self._task: asyncio.Task[None] = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def read(self, seconds: float = 30.0) -> Message:
        """Return the next message of the application. Raises what the application raised instead of one."""
        getter = asyncio.create_task(self.sent.get())
        await asyncio.wait({getter, self._task}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not getter.done() and self._task.done():
            getter.cancel()
            self._task.result()
        if not getter.done():
            getter.cancel()
            raise TimeoutError("the application sent nothing")
        return getter.result()

    async def read_status(self) -> int:
        """Return the status of the answer; 101 for a WebSocket that is accepted."""
        message = await self.read()
        return {"websocket.accept": 101, "websocket.close": 403}.get(message["type"]) or int(message["status"])

    async def read_to_end(self, seconds: float = 30.0) -> list[Message]:
        """Return every message until the application ends."""
        await asyncio.wait({self._task}, timeout=seconds)
        self._task.result() if self._task.done() else self._task.cancel()
        messages = []
        while not self.sent.empty():
            messages.append(self.sent.get_nowait())
        return messages

    async def _run(self) -> None:
        await self.app(self._build_scope(), self.received.get, self.sent.put)

    def _build_scope(self) -> dict[str, Any]:
        headers = [_HOST, *self.headers.items()]
        if self.body:
            headers.append(("content-length", str(len(self.body))))
        scope = {
            "type": "websocket" if self.websocket else "http",
            "asgi": {"version": "3.0", "spec_version": "2.4" if self.websocket else "2.3"},
            "http_version": "1.1",
            "scheme": "ws" if self.websocket else "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "root_path": "",
            "query_string": self.query.encode(),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
            "client": self.client,
            "server": ("localhost", 80),
        }
        if self.websocket:
            return scope | {"subprotocols": [], "extensions": {"websocket.http.response": {}}}
        return scope | {"method": self.method}
