"""The WebSocket protocol of `understudy serve`: a message that is too large gets its typed error before the close."""

from typing import TYPE_CHECKING

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import PayloadTooBig
from websockets.frames import CloseCode, Frame, Opcode

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

    def data_received(self, data: bytes) -> None:
        if not self._discards:
            super().data_received(data)

    def handle_parser_exception(self) -> None:
        if not (self.handshake_complete and isinstance(self.conn.parser_exc, PayloadTooBig)):
            super().handle_parser_exception()
            return
        problem = build_message_too_large(self.config.ws_max_size).problem()
        services: Services = self.app_state["services"]
        services.recent_statistics.record_refusal(str(problem["code"]))
        message = StreamFailed(problem=Problem.model_validate(problem)).model_dump_json().encode()
        frame = Frame(Opcode.TEXT, message).serialize(mask=False, extensions=self.conn.extensions)
        self.transport.write(frame + b"".join(self.conn.data_to_send()))
        self.transport.write_eof()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": CloseCode.MESSAGE_TOO_BIG.value})
        self._discards = self.close_sent = self.disconnected = True
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)
