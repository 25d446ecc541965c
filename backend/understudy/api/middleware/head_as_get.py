"""HEAD for everything that answers GET: health checkers and link checkers ask so."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send

# It goes on for ever, so that there is no end at which its head would be all there is.
_ENDLESS = "/api/v1/events"


class HeadAsGet:
    """Answers HEAD with what GET says; the server leaves the body out (RFC 9110, section 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http" and scope["method"] == "HEAD" and scope["path"] != _ENDLESS:
            scope = {**scope, "method": "GET"}
        return self._app(scope, receive, send)
