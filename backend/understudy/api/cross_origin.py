"""Headers that let pages of `UNDERSTUDY_ALLOWED_ORIGINS` read the answers.

Source: https://fetch.spec.whatwg.org/#http-cors-protocol. `Access-Control-Allow-Credentials` is never sent: the cookie
of a session is for the server's own page, and other pages use keys. Without it the wildcards below are valid.
"""

from collections.abc import Awaitable, Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import Message, Scope, Send

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "DELETE, GET, HEAD, PATCH, POST, PUT",
    "Access-Control-Allow-Headers": "*, Authorization",  # the wildcard does not include Authorization
    "Access-Control-Max-Age": "600",
}


def add_cors_headers(headers: MutableHeaders, origin: str | None, allowed: Collection[str | None]) -> None:
    """Add to an answer's `headers` that `origin` may read it, if `allowed` has it.

    Nothing is added where no origin is allowed. Otherwise `Vary` is sent to every origin: a cache must not give one
    origin the answer for another.
    """
    if allowed:
        headers.add_vary_header("Origin")
    if origin in allowed:
        headers["Access-Control-Allow-Origin"] = str(origin)
        headers["Access-Control-Expose-Headers"] = "*"


def wrap_send(send: Send, origin: str | None, allowed: Collection[str | None]) -> Send:
    """Return a `send` that adds the headers to the answer."""

    def send_with_headers(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            add_cors_headers(MutableHeaders(scope=message), origin, allowed)
        return send(message)

    return send_with_headers


def is_preflight(scope: Scope, headers: Headers) -> bool:
    """Return whether the browser asks if a page may send another request."""
    return bool(scope["type"] == "http" and scope["method"] == "OPTIONS" and "access-control-request-method" in headers)


def build_preflight_answer() -> Response:
    """Return the answer that permits every method and header of the API for ten minutes."""
    return Response(status_code=204, headers=_PREFLIGHT)
