"""The WebSocket protocol of `understudy serve`: a stream that the server ends gets a typed error before the close."""

import asyncio
from typing import TYPE_CHECKING, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import PayloadTooBig
from websockets.frames import CloseCode, Frame, Opcode

from understudy.cli.connections.request_protocol import ServerConfig
from understudy.errors import ServerStopping, UnderstudyError
from understudy.schemas.inference.stream import StreamFailed
from understudy.schemas.server.problem import Problem
from understudy.serving.prediction.streaming import build_message_too_large

if TYPE_CHECKING:
    from understudy.container import Services


class StreamProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol, but for a message above `ws_max_size`.

    The parser refuses such a message at its head, so that it is never held in memory, and the application never sees
    it. uvicorn would close the socket at once, with no message that says why; and closing a socket while data arrive
    resets the connection, which may take back what the client has not read yet. So this class sends the error and the
    close frame, ends its own side of the connection and discards what arrives until the client ends the other side.
    """

    _discards = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("ServerConfig", self.config).guard.add_socket(self)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        cast("ServerConfig", self.config).guard.forget_socket(self)
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Say goodbye, because the server stops."""
        if self.handshake_complete and not self.close_sent and not self.transport.is_closing():
            self.stop_keepalive()
            self.conn.send_close(CloseCode.GOING_AWAY)
            self._end_with(ServerStopping("The server stops."), CloseCode.GOING_AWAY)
        elif not self._discards:
            super().shutdown()

    def data_received(self, data: bytes) -> None:
        if not self._discards:
            super().data_received(data)

    def handle_parser_exception(self) -> None:
        if not (self.handshake_complete and isinstance(self.conn.parser_exc, PayloadTooBig)):
            super().handle_parser_exception()
            return
        self._end_with(build_message_too_large(self.config.ws_max_size), CloseCode.MESSAGE_TOO_BIG)

    def _end_with(self, error: UnderstudyError, code: CloseCode) -> None:
        """Send `error` and the close frame that waits to be sent, and discard what arrives until the client ends."""
        problem = error.problem()
        services: Services = self.app_state["services"]
        services.recent_statistics.record_refusal(error.code)
        message = StreamFailed(problem=Problem.model_validate(problem)).model_dump_json().encode()
        frame = Frame(Opcode.TEXT, message).serialize(mask=False, extensions=self.conn.extensions)
        self.transport.write(frame + b"".join(self.conn.data_to_send()))
        if self.transport.can_write_eof():  # TLS has no half that is closed
            self.transport.write_eof()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code.value})
        self._discards = self.close_sent = self.disconnected = True
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)
