"""Keeps other sites' pages from driving a server that has no access control.

A page anywhere may send requests to 127.0.0.1 from its visitor's browser; the browser then names that page in `Origin`.
If an attacker's DNS name points at 127.0.0.1 (DNS rebinding), `Origin` and `Host` agree, but `Host` is a foreign name.
"""

import ipaddress
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from understudy.api.cross_origin import build_preflight_answer, is_preflight, wrap_send
from understudy.api.middleware.refusal_log import RefusalLog
from understudy.api.problems.error_handlers import ProblemResponse, add_protocol_error
from understudy.errors import Forbidden, ForeignHost, ForeignOrigin
from understudy.settings import Settings, is_host_name, normalize_origin

_CLOSED_BY_POLICY = 1008
_MOST_CHARACTERS = 200

# Shown only with a value that is a plain name or origin: somebody may paste the line into a shell.
_HOST_REMEDY = (
    "If {0} is a name of this server, such as a proxy's upstream or a compose service, start the server with "
    "UNDERSTUDY_ALLOWED_HOSTS={0} (commas between several names)."
)
_ORIGIN_REMEDY = (
    "If you trust that page, start the server with UNDERSTUDY_ALLOWED_ORIGINS={0} (commas between several). If it is "
    "this server's own page behind a proxy, let the proxy pass on the browser's Host header: see docs/proxy.md."
)


class OriginGuard:
    """Refuses requests and WebSockets whose `Host` is a foreign name or whose `Origin` is another site.

    Pages of `UNDERSTUDY_ALLOWED_ORIGINS` may send requests and read the answers. Their preflights are answered here.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._names = {"localhost", settings.host.lower(), *(name.lower() for name in settings.allowed_hosts)}
        self._origins = frozenset(settings.allowed_origins)
        self._find_known_fault = lru_cache(64)(self._find_fault)  # a client sends the same headers each time
        self._log = RefusalLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._origins and scope["type"] == "http":
            send = wrap_send(send, origin, self._origins)
        fault = self._find_known_fault(host, origin)
        if fault is not None:
            self._log.record(fault)
            await _refuse(fault, scope, receive, send)
        elif origin in self._origins and is_preflight(scope, headers):
            await build_preflight_answer()(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _find_fault(self, host: str, origin: str | None) -> Forbidden | None:
        name = _split_address(f"//{host}").hostname or ""
        if name not in self._names and not _is_address(name):
            detail = f"This server does not answer for {_shorten(host) or 'a request without Host'}."
            return ForeignHost(detail, remedy=_HOST_REMEDY.format(name) if is_host_name(name) else None)
        if origin is None or origin in self._origins or _split_address(origin).netloc.lower() == host.lower():
            return None
        allowed = normalize_origin(origin)
        remedy = _ORIGIN_REMEDY.format(allowed) if allowed else None
        return ForeignOrigin(f"Pages of {_shorten(origin)} may not use this server.", remedy=remedy)


async def _refuse(fault: Forbidden, scope: Scope, receive: Receive, send: Send) -> None:
    scope["state"]["services"].recent_statistics.record_refusal(fault.code)
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _CLOSED_BY_POLICY, "reason": fault.code})
    else:
        problem = add_protocol_error(fault.problem(), scope)
        await ProblemResponse(problem, status_code=fault.status)(scope, receive, send)


def _shorten(value: str) -> str:
    """Return a header's value as it may be shown in an answer and on a terminal."""
    value = value[:_MOST_CHARACTERS]
    return value if value.isascii() and value.isprintable() else ascii(value)


def _split_address(address: str) -> SplitResult:
    """Split an address; return empty parts for one that cannot be read, such as an unclosed bracket."""
    try:
        return urlsplit(address)
    except ValueError:
        return SplitResult("", "", "", "", "")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
