"""Runs the application under uvicorn in this process."""

import asyncio
import faulthandler
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import structlog
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import HANDLED_SIGNALS

from understudy.cli.connections.connection_guard import ConnectionGuard, ConnectionLimits
from understudy.cli.connections.descriptors import count_connections, raise_descriptor_limit
from understudy.cli.connections.request_protocol import RequestProtocol, ServerConfig
from understudy.cli.stream_protocol import StreamProtocol
from understudy.container import Services
from understudy.errors import UnderstudyError
from understudy.main import create_app
from understudy.settings import Settings

if TYPE_CHECKING:  # only Linux has worker processes
    from understudy.engine.workers.fork_process import ForkProcess

log = structlog.get_logger()

_POLL_SECONDS = 0.05
# uvicorn's ticks are 0.1 s apart.
_TICKS_BETWEEN_CHECKS = 3
# Beside the grace period: time for cutting off requests, closing the database and ending the workers.
_CLOSE_SECONDS = 5.0
_CUT_OFF_SECONDS = 1.0
_STANDARD_ERROR = 2


class AnnouncingServer(uvicorn.Server):
    """Calls `announce` with the port of gRPC, if there is one, when the server answers requests.

    A start that fails raises its reason instead of logging it.

    After the signal to stop, streams end at once and running requests have a grace period. A second signal ends the
    process at once, and so does the end of all time limits, whatever still runs.
    """

    def __init__(
        self,
        settings: Settings,
        announce: Callable[[int | None], None],
        *,
        fork_process: "ForkProcess | None" = None,
    ) -> None:
        self._application = create_app(settings, fork_process=fork_process)
        self._announce = announce
        self._start_error: Exception | None = None
        self._grace_seconds = settings.grace_seconds
        self._cutting_off = False
        connections = count_connections(raise_descriptor_limit(), settings.max_connections)
        self._guard = ConnectionGuard(ConnectionLimits(connections, settings.head_seconds, settings.transfer_seconds))
        super().__init__(
            ServerConfig(
                self._guard,
                app=self._run_application,
                interface="asgi3",
                log_config=None,
                log_level="critical",
                access_log=False,
                # Only failed attempts to sign in and the cookie's `Secure` depend on the client's address and scheme.
                proxy_headers=bool(settings.trusted_proxies),
                forwarded_allow_ips=list(settings.trusted_proxies),
                ssl_certfile=settings.tls_cert,
                ssl_keyfile=settings.tls_key,
                http=RequestProtocol,
                timeout_keep_alive=settings.keep_alive_seconds,
                backlog=min(2048, max(16, connections)),  # the server accepts a whole backlog before it can close one
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
        grpc = self.lifespan.state.get("grpc")
        self._announce(None if grpc is None else grpc.port)

    async def on_tick(self, counter: int) -> bool:
        if counter % _TICKS_BETWEEN_CHECKS == 0:
            try:
                self._guard.check_all(asyncio.get_running_loop().time())
            except Exception:  # an error here would end the server
                log.exception("looking after the connections failed", remedy="It is tried again; report this line.")
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End streams at once, requests after the grace period, and then the application."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        services: Services = self.lifespan.state["services"]
        services.events.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        grpc = self.lifespan.state.get("grpc")
        stopping = None if grpc is None else asyncio.create_task(grpc.stop())
        if not await self._wait_until_ended(self._grace_seconds):
            await self._cut_off()
        if stopping is not None:
            await stopping
        await self.lifespan.shutdown()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals while the block runs. A signal that has stopped the server is not raised again after it."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        previous = {each: signal.signal(each, self.handle_exit) for each in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for each, handler in previous.items():
                signal.signal(each, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Begin to stop. The next signal ends the process, even if the event loop hangs."""
        self.should_exit = True
        for each in HANDLED_SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        # It writes where each thread stands and exits with 1, unless the process has ended before.
        faulthandler.dump_traceback_later(self._grace_seconds + _CLOSE_SECONDS, exit=True, file=_STANDARD_ERROR)

    async def _wait_until_ended(self, seconds: float) -> bool:
        """Return whether all connections and requests ended within `seconds`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while self.server_state.connections or self.server_state.tasks:
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(_POLL_SECONDS)
        return True

    async def _cut_off(self) -> None:
        """Answer 503 to the requests that still run, and cancel them."""
        self._cutting_off = True
        connections, tasks = list(self.server_state.connections), list(self.server_state.tasks)
        log.warning("requests cut off", connections=len(connections), grace_seconds=self._grace_seconds)
        for connection in connections:
            if isinstance(connection, RequestProtocol):
                connection.stop()
            else:
                connection.transport.close()
        for task in tasks:
            task.cancel()
        await self._wait_until_ended(_CUT_OFF_SECONDS)
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    async def _run_application(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._application(scope, receive, send)
        except asyncio.CancelledError:
            if not self._cutting_off:
                raise
        except Exception as error:
            if scope["type"] == "lifespan":
                self._start_error = error
            raise
