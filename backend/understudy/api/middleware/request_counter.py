"""Counts requests by route, method and status for /metrics."""

from collections.abc import Awaitable, Sequence

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from understudy.serving.telemetry.counters import Counters

OTHER = "other"
# The scope's key for the template of the route, once the answer begins.
ROUTE = "understudy.route"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_UNEXPECTED = 500

# The messages that start a response, and the status of those that carry none. ASGI answers 403 where a socket is closed
# before it is accepted.
_FIRST_MESSAGES = {
    "http.response.start": 0,
    "websocket.http.response.start": 0,
    "websocket.accept": 101,
    "websocket.close": 403,
}


class RequestCounter:
    """Counts requests and WebSocket handshakes by route, method and status. It is the outermost middleware.

    A label is a route's template or `other`, so that no client can make up new ones.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        # An included route has its path without the prefix. A route that is not FastAPI's leaves its endpoint only.
        self._templates: dict[int, str] = {}
        for found in iter_route_contexts(routes):
            if found.path_format:
                self._templates |= dict.fromkeys((id(found.original_route), id(found.endpoint)), found.path_format)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        started = False

        def count_and_send(message: Message) -> Awaitable[None]:
            nonlocal started
            if not started and (kind := message["type"]) in _FIRST_MESSAGES:
                started = True
                self._count(scope, message.get("status") or _FIRST_MESSAGES[kind])
            return send(message)

        try:
            await self._app(scope, receive, count_and_send)
        except Exception:
            if not started:  # the framework's error middleware responds, outside of this one
                self._count(scope, _UNEXPECTED)
            raise

    def _count(self, scope: Scope, status: int) -> None:
        counters: Counters = scope["state"]["services"].counters
        templates = self._templates
        route = templates.get(id(scope.get("route"))) or templates.get(id(scope.get("endpoint"))) or OTHER
        scope[ROUTE] = route
        counters.record_request(route, _get_method_label(scope), status)


def _get_method_label(scope: Scope) -> str:
    if scope["type"] == "websocket":
        return "WEBSOCKET"
    method: str = scope["method"]
    return method if method in _METHODS else OTHER
