"""Gives each request an id, which its answer and its log lines carry."""

import re
import secrets
from collections.abc import Awaitable, Iterable

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = b"x-request-id"

_KEY = "understudy.request_id"
# An id is written into logs, so a client cannot put anything else there.
_VALID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
_STARTS = frozenset({"http.response.start", "websocket.http.response.start", "websocket.accept"})


class RequestIds:
    """Takes the id from the header `X-Request-ID`, such as a proxy sends it, or makes one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "lifespan":
            return self._app(scope, receive, send)
        request_id = choose_id(value for name, value in scope["headers"] if name == HEADER)
        scope[_KEY] = request_id
        # The server runs each request in a context of its own; tasks that it starts inherit the id.
        structlog.contextvars.bind_contextvars(request_id=request_id.decode())

        def send_with_id(message: Message) -> Awaitable[None]:
            if message["type"] in _STARTS:
                message["headers"] = [*message.get("headers", ()), (HEADER, request_id)]
            return send(message)

        return self._app(scope, receive, send_with_id)


def get_request_id(scope: Scope) -> bytes:
    """Return the id of a request that has passed the middleware."""
    request_id: bytes = scope[_KEY]
    return request_id


def choose_id(given: Iterable[bytes]) -> bytes:
    """Return the first of the ids that the client gave which may be one, or a new one."""
    return next((value for value in given if _VALID.fullmatch(value)), None) or secrets.token_hex(8).encode()
