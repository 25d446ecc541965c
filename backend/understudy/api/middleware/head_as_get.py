"""Answers HEAD wherever GET is answered: health checkers and link checkers send HEAD."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send

from understudy.api.paths import EVENTS, V1, strip_mount

# The event stream never ends, so an answer without its body would never end either.
_ENDLESS = f"{V1}{EVENTS}"


class HeadAsGet:
    """Answers HEAD with the head of the answer to GET; the server leaves the body out (RFC 9110, section 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http" and scope["method"] == "HEAD" and strip_mount(scope) != _ENDLESS:
            scope = {**scope, "method": "GET"}
        return self._app(scope, receive, send)
