"""The ASGI application of a replica."""

import asyncio
from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from understudy.container import Services
from understudy.errors import UnderstudyError
from understudy.main import create_app
from understudy.ray_serve.health import require_useful, wait_until_ready
from understudy.ray_serve.open_sockets import OpenSockets
from understudy.settings import Settings

log = structlog.get_logger()

_LOOK_SECONDS = 0.25
# Begins the line with the remedy, in the traceback that Ray passes on to the command that deploys.
REMEDY_MARK = "remedy: "


class ReplicaApplication:
    """The server's application, with what a server that runs it has to do for it.

    It hands the state of the lifespan to each request, says that it has started only when the desired model is loaded,
    and ends streams when the replica is drained. `is_draining` tells whether it is.
    """

    def __init__(self, settings: Settings, is_draining: Callable[[], bool]) -> None:
        self._application = create_app(settings)
        self._is_draining = is_draining
        self._sockets = OpenSockets()
        self._state: dict[str, Any] = {}
        self._start_error: Exception | None = None
        self._guarded: ASGIApp = self._application
        if settings.trusted_proxies:
            # uvicorn's own types are narrower than Starlette's.
            inner, trusted = cast("Any", self._application), list(settings.trusted_proxies)
            self._guarded = cast("ASGIApp", ProxyHeadersMiddleware(inner, trusted_hosts=trusted))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._run_lifespan(receive, send)
            return
        scope["state"] = self._state.copy()
        if scope["type"] == "websocket":
            await self._sockets.run(self._guarded, scope, receive, send)
        else:
            await self._guarded(scope, receive, _drop_request_id(send))

    def check_health(self) -> None:
        """Raise the reason why this replica could not start, or why another one should replace it."""
        if self._start_error is not None:
            raise self._start_error
        require_useful(self._state["services"])

    async def _run_lifespan(self, receive: Receive, send: Send) -> None:
        """Start and stop the application.

        A start that fails counts as one that succeeded: Ray hides the reason of a failed start, and shows that of the
        first health check, which follows at once.
        """
        await receive()
        started = False
        try:
            async with self._application.router.lifespan_context(self._application) as state:
                self._state = dict(state or {})
                services: Services = self._state["services"]
                await wait_until_ready(services)
                async with self._watch_drain(services):
                    started = True
                    await send({"type": "lifespan.startup.complete"})
                    await receive()
        except Exception as error:
            if started:
                raise
            log.error("the replica did not start", detail=str(error), remedy=getattr(error, "remedy", None))
            self._start_error = note_remedy(error)
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    @asynccontextmanager
    async def _watch_drain(self, services: Services) -> AsyncIterator[None]:
        """End event streams and live streams as soon as the replica is drained: Ray waits for all that is open."""

        async def watch() -> None:
            while True:
                await asyncio.sleep(_LOOK_SECONDS)
                if not self._is_draining():
                    continue
                if not services.events.closed:
                    log.info("the replica is drained")
                    services.events.close()
                for _ in range(await self._sockets.close()):
                    services.recent_statistics.record_refusal("server_stopping")

        watching = asyncio.create_task(watch())
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


def note_remedy(error: Exception) -> Exception:
    """Return `error` with its remedy as a note, which its traceback shows."""
    if isinstance(error, UnderstudyError):
        error.add_note(f"{REMEDY_MARK}{error.remedy}")
    return error


def _drop_request_id(send: Send) -> Send:
    """Return `send` without the answer's X-Request-ID: Ray's proxy chose the id, and adds it to the answer itself."""

    async def forward(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            kept = [pair for pair in message.get("headers", ()) if pair[0].lower() != b"x-request-id"]
            message = {**message, "headers": kept}
        await send(message)

    return forward
