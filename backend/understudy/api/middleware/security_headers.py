"""Adds the security headers to every answer."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from understudy.api.paths import DOCS, REDOC, is_below, is_page, strip_mount
from understudy.security_headers import (
    API_POLICY,
    CACHE_NAME,
    DOCS_POLICY,
    PAGE_POLICY,
    POLICY_NAME,
    SECURITY_HEADERS,
    STRICT_TRANSPORT,
)

_STARTS = frozenset({"http.response.start", "websocket.http.response.start"})


class SecurityHeaders:
    """Adds what an answer does not have already; answers of the API are not stored by caches."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "lifespan":
            return self._app(scope, receive, send)

        def send_with_headers(message: Message) -> Awaitable[None]:
            if message["type"] in _STARTS:
                message["headers"] = [*message.get("headers", ()), *list_missing_headers(scope, message)]
            return send(message)

        return self._app(scope, receive, send_with_headers)


def list_missing_headers(scope: Scope, start: Message) -> list[tuple[bytes, bytes]]:
    """Return the headers that the start of an answer lacks."""
    present = {name.lower() for name, _ in start.get("headers", ())}
    path = strip_mount(scope)
    wanted = [*SECURITY_HEADERS]
    if is_page(path):
        policy = PAGE_POLICY
    else:
        policy = DOCS_POLICY if is_below(path, DOCS) or is_below(path, REDOC) else API_POLICY
        if b"etag" not in present:  # a file, which the browser may ask about again
            wanted.append((CACHE_NAME, b"no-store"))
    wanted.append((POLICY_NAME, policy.encode()))
    if scope.get("scheme") in {"https", "wss"}:
        wanted.append(STRICT_TRANSPORT)
    return [header for header in wanted if header[0] not in present]
