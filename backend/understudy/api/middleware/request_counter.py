"""Counts what was answered, for /metrics."""

from collections.abc import Awaitable, Sequence

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from understudy.serving.telemetry.counters import Counters

OTHER = "other"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BROKEN = 500

# The messages that begin an answer, with the status of those that name none: ASGI closes a socket that was never
# accepted with a 403.
_BEGINNINGS = {
    "http.response.start": 0,
    "websocket.http.response.start": 0,
    "websocket.accept": 101,
    "websocket.close": 403,
}


class RequestCounter:
    """Counts requests and WebSocket handshakes by route, method and status; stands around all other middleware.

    A label is a route's template or `other`, so that no client can make up new ones.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        # An included route knows its path without the prefix only; one that is not FastAPI's leaves its endpoint alone.
        self._templates: dict[int, str] = {}
        for found in iter_route_contexts(routes):
            if found.path_format:
                self._templates |= dict.fromkeys((id(found.original_route), id(found.endpoint)), found.path_format)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        begun = False

        def noting(message: Message) -> Awaitable[None]:
            nonlocal begun
            if not begun and (kind := message["type"]) in _BEGINNINGS:
                begun = True
                self._count(scope, message.get("status") or _BEGINNINGS[kind])
            return send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception:
            if not begun:  # the answer is made outside of all middleware
                self._count(scope, _BROKEN)
            raise

    def _count(self, scope: Scope, status: int) -> None:
        counters: Counters = scope["state"]["services"].counters
        known = self._templates
        route = known.get(id(scope.get("route"))) or known.get(id(scope.get("endpoint"))) or OTHER
        counters.requested(route, _method(scope), status)


def _method(scope: Scope) -> str:
    if scope["type"] == "websocket":
        return "WEBSOCKET"
    method: str = scope["method"]
    return method if method in _METHODS else OTHER
