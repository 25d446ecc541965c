"""The HTTP protocol of `understudy serve`: uvicorn's, with limits on what a client may send and how slowly."""

import asyncio
from enum import IntEnum
from typing import TYPE_CHECKING, Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from understudy.cli.connections.answer_writer import AnswerWriter
from understudy.cli.connections.connection_guard import ConnectionGuard, Room
from understudy.cli.connections.refusal import build_refusal
from understudy.errors import (
    HeadersTooLarge,
    MalformedRequest,
    RequestTimeout,
    ServerStopping,
    TooManyConnections,
    UnderstudyError,
)
from understudy.main import EVENT_STREAM, HEALTH_CHECKS, WORK

if TYPE_CHECKING:
    from understudy.container import Services

MAX_HEAD_BYTES = 64 << 10
_SHORT_BODY_BYTES = 1 << 20
_MIN_BYTES_PER_SECOND = 500
# A client that reads nothing of its answer for this time is gone.
_UNREAD_SECONDS = 300.0
# A client has this time to read a refusal: data that arrive at a closed socket would take the refusal back.
_LINGER_SECONDS = 2.0
_LAST_LINGER_SECONDS = 0.5  # where the server stops


class ServerConfig(uvicorn.Config):
    """uvicorn's configuration, and the guard of the server's connections."""

    def __init__(self, guard: ConnectionGuard, **options: Any) -> None:
        super().__init__(**options)
        self.guard = guard


class _Arriving(IntEnum):
    """The part of a request that arrives."""

    NOTHING = 0
    HEAD = 1
    BODY = 2


class RequestProtocol(HttpToolsProtocol):
    """Refuses heads of more than 64 KiB, and heads and bodies that take too long.

    The parser keeps every header, however long, and uvicorn waits for the rest of a request for ever.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._guard = cast("ServerConfig", config).guard
        self._arriving = _Arriving.NOTHING
        self._since = self.loop.time()  # the head, or the last body bytes that count as progress
        self._answered: float | None = None
        self._unplaced = 0  # bytes since the last piece of a body: heads, and what stands between and behind pieces
        self._body_bytes = 0
        self._unread = 0, 0.0
        self._room = Room.ALL
        self._discards = False
        self._refusal: UnderstudyError | None = None

    @property
    def head_since(self) -> float | None:
        return self._since if self._arriving is _Arriving.HEAD and not self._answering else None

    @property
    def _answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        room = self._guard.admit(self)
        if room is None:
            self._discards = True
            transport.abort()
        else:
            self._room = room

    def connection_lost(self, exc: Exception | None) -> None:
        self._guard.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._discards:
            return
        if self._arriving is _Arriving.NOTHING:
            self._begin_head()
        self._unplaced += len(data)
        super().data_received(data)
        if self._unplaced > MAX_HEAD_BYTES and not self._discards:
            self.refuse(_build_too_large())

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._arriving is not _Arriving.HEAD:
            self._begin_head()

    def on_headers_complete(self) -> None:
        if self._unplaced > MAX_HEAD_BYTES and self._measure_head() > MAX_HEAD_BYTES:
            self._fail(_build_too_large())
        self._check_room()
        self._unplaced = self._body_bytes = 0
        self._answered = None
        self._arriving = _Arriving.BODY
        self._since = self.loop.time()
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is before:  # an upgrade
            return
        self.cycle.transport = cast("asyncio.Transport", AnswerWriter(self.transport, self.loop))
        if self._room is not Room.ALL:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._unplaced = 0
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unplaced = 0
        self._arriving = _Arriving.NOTHING
        super().on_message_complete()
        if not self._answering and not self.pipeline:
            self._guard.set_idle(self)

    def on_response_complete(self) -> None:
        self._answered = self.loop.time()
        self._guard.endless.discard(self)
        super().on_response_complete()
        if self._arriving is _Arriving.NOTHING and not self._answering:
            self._guard.set_idle(self)

    def handle_websocket_upgrade(self) -> None:
        self._guard.forget(self)
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        self.refuse(self._refusal or MalformedRequest(msg))

    def check(self, now: float) -> None:
        if self._discards or self.transport.is_closing():
            return
        limits = self._guard.limits
        if self.flow.write_paused and self._stands_still(now):
            self.transport.abort()
        elif self._arriving is _Arriving.HEAD:
            if now - self._since > limits.head_seconds:
                self.refuse(RequestTimeout(f"The head of the request did not arrive within {limits.head_seconds:g} s."))
        elif self._arriving is _Arriving.BODY:
            self._check_body(now)
        elif self.cycle is None and now - self._since > limits.head_seconds:
            self.drop()  # no answer: browsers open connections before they need them

    def drop(self) -> None:
        if self._discards or self._arriving is _Arriving.NOTHING:
            self.transport.close()
        else:
            self.refuse(TooManyConnections("The connection made room for another one."))

    def stop(self) -> None:
        """End the request that is not answered yet, because the server stops."""
        self.refuse(
            ServerStopping("The server stops, and the request took longer than it waits."), linger=_LAST_LINGER_SECONDS
        )

    def refuse(self, error: UnderstudyError, *, linger: float = _LINGER_SECONDS) -> None:
        """Answer with `error` unless an answer has begun, discard what arrives, and close."""
        if self._discards or self.transport.is_closing():
            return
        self._discards = True
        services: Services = self.app_state["services"]
        services.recent_statistics.record_refusal(error.code)
        begun = self._answering and (self.cycle.response_started or self._arriving is _Arriving.HEAD)
        if self._answering:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if begun or self.pipeline:
            self.transport.abort()
            return
        self.transport.write(build_refusal(error, self.server_state.default_headers))
        if self.transport.can_write_eof():
            self.flow.resume_reading()
            self.transport.write_eof()
            self.loop.call_later(linger, self.transport.close)
        else:
            self.transport.close()

    def _begin_head(self) -> None:
        self._guard.set_busy(self)
        self._arriving = _Arriving.HEAD
        self._since = self.loop.time()

    def _measure_head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _fail(self, error: UnderstudyError) -> None:
        """End the parser's work, which then calls `send_400_response`."""
        self._refusal = error
        raise ValueError(error.detail)

    def _check_room(self) -> None:
        """Refuse what needs a connection for long where only the reserve is left, or only room for short requests."""
        path = self.url.partition(b"?")[0].decode("ascii", "replace")
        upgrade = bool(self.parser.should_upgrade())
        endless = upgrade or path == EVENT_STREAM
        if not self._has_room_for(path, endless):
            self._fail(TooManyConnections(f"The server has its {self._guard.limits.connections} connections."))
        if not endless:
            return
        if not self._guard.has_room_for_endless():
            self._fail(TooManyConnections(f"The server has its {self._guard.limits.endless} streams."))
        if not upgrade:
            self._guard.endless.add(self)

    def _has_room_for(self, path: str, endless: bool) -> bool:
        if self._room is Room.ALL or path.startswith(HEALTH_CHECKS):
            return True
        long = endless or path.startswith(WORK) or self._announces_long_body()
        return self._room is Room.MANAGEMENT and not long

    def _announces_long_body(self) -> bool:
        """Return whether the body may take long to arrive: it is more than a mebibyte, or its length is unknown."""
        headers = dict(self.headers)
        length = headers.get(b"content-length", b"0")
        return b"transfer-encoding" in headers or not length.isdigit() or int(length) > _SHORT_BODY_BYTES

    def _check_body(self, now: float) -> None:
        seconds = self._guard.limits.transfer_seconds
        if not self._answering and self._answered is not None:
            if now - self._answered > seconds:
                self.transport.close()  # an answer was sent before the body ended
        elif self.flow.read_paused or self._body_bytes >= seconds * _MIN_BYTES_PER_SECOND:
            self._since, self._body_bytes = now, 0
        elif now - self._since > seconds:
            self.refuse(
                RequestTimeout(
                    f"Less than {_MIN_BYTES_PER_SECOND} bytes a second of the body arrived in {seconds:g} s.",
                    remedy="Send the request over a faster connection, or raise UNDERSTUDY_TRANSFER_SECONDS.",
                )
            )

    def _stands_still(self, now: float) -> bool:
        """Return whether the client has read nothing of its answer for a long time."""
        size = self.transport.get_write_buffer_size()
        if size != self._unread[0]:
            self._unread = size, now
        return now - self._unread[1] > _UNREAD_SECONDS


def _build_too_large() -> HeadersTooLarge:
    return HeadersTooLarge(f"The head of the request has more than {MAX_HEAD_BYTES} bytes.")
