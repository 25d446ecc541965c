"""Runs the application under uvicorn in this process."""

import logging
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import Receive, Scope, Send

from understudy.cli.stream_protocol import StreamProtocol
from understudy.errors import UnderstudyError
from understudy.main import create_app
from understudy.settings import Settings


class AnnouncingServer(uvicorn.Server):
    """Calls `announce` when the server answers requests. A start that fails raises its reason instead of logging it."""

    def __init__(self, settings: Settings, announce: Callable[[], None]) -> None:
        self._application = create_app(settings)
        self._announce = announce
        self._start_error: Exception | None = None
        super().__init__(
            uvicorn.Config(
                self._run_application,
                interface="asgi3",
                log_config=None,
                log_level="critical",
                access_log=False,
                proxy_headers=False,  # no answer depends on the client's address
                ws=StreamProtocol,
                ws_max_size=settings.max_stream_message_bytes,
                # Samples hardly shrink, and a compressed message may be a thousand times as large as it looks.
                ws_per_message_deflate=False,
            )
        )

    def serve_on(self, listener: socket.socket) -> None:
        """Serve until a signal arrives. Raises the error that stopped the start of the application."""
        self.run(sockets=[listener])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit as exit_request:
            raise self._start_error or UnderstudyError("The server did not start.") from exit_request
        # A failed start is raised, not logged. From now on uvicorn logs errors that the application did not handle.
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        self._announce()

    async def _run_application(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._application(scope, receive, send)
        except Exception as error:
            if scope["type"] == "lifespan":
                self._start_error = error
            raise
