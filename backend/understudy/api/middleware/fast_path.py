"""Answers requests of a few routes ahead of the framework's router."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send


class FastPath:
    """Hands a request that one of `routes` matches to its endpoint: the router takes as long as a small inference.

    It is the innermost middleware, and the router has a route for each of these requests too. The answer is the same
    either way: the routes themselves match the request, and `handlers` turn typed errors into answers. An unforeseen
    exception goes on to the middleware outside, as it does behind the router.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[Route], handlers: Mapping[Any, Callable[..., Any]]) -> None:
        self._app = app
        typed = {kind: handle for kind, handle in handlers.items() if kind is not Exception}
        self._routes = [(route, ExceptionMiddleware(route.app, typed)) for route in routes]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for route, endpoint in self._routes:
            match, found = route.matches(scope)
            if match is Match.FULL:
                scope.update(found)
                await endpoint(scope, receive, send)
                return
        await self._app(scope, receive, send)
