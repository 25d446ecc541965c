"""Answers requests of one route ahead of the framework's router."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send


class FastPath:
    """Hands a request that `route` matches to its endpoint at once: the router takes as long as a small inference.

    It is the innermost middleware, and the route is registered with the router too. The answer is the same either way:
    the route itself matches the request, and `handlers` turn typed errors into answers. An unforeseen exception goes on
    to the middleware outside, as it does behind the router.
    """

    def __init__(self, app: ASGIApp, route: Route, handlers: Mapping[Any, Callable[..., Any]]) -> None:
        self._app = app
        self._route = route
        self._endpoint = ExceptionMiddleware(
            route.app, {kind: handle for kind, handle in handlers.items() if kind is not Exception}
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match, found = self._route.matches(scope)
        if match is Match.FULL:
            scope.update(found)
            await self._endpoint(scope, receive, send)
        else:
            await self._app(scope, receive, send)
