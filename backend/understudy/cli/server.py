"""Uvicorn around the application, in this process."""

import logging
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import Receive, Scope, Send

from understudy.errors import UnderstudyError
from understudy.main import create_app
from understudy.settings import Settings


class AnnouncingServer(uvicorn.Server):
    """Calls `announce` once requests are answered; a start that fails raises its reason instead of logging it."""

    def __init__(self, settings: Settings, announce: Callable[[], None]) -> None:
        self._application = create_app(settings)
        self._announce = announce
        self._reason: Exception | None = None
        super().__init__(
            uvicorn.Config(
                self._run_application,
                interface="asgi3",
                log_config=None,
                log_level="critical",
                access_log=False,
                proxy_headers=False,  # nothing here depends on who asks
            )
        )

    def serve_on(self, listener: socket.socket) -> None:
        """Serve until a signal. Raises what kept the application from starting."""
        self.run(sockets=[listener])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit as gave_up:
            raise self._reason or UnderstudyError("The server did not start.") from gave_up
        # From here on uvicorn logs what the application could not answer.
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        self._announce()

    async def _run_application(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._application(scope, receive, send)
        except Exception as error:
            if scope["type"] == "lifespan":
                self._reason = error
            raise
