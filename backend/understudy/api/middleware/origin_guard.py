"""Keeps other sites' pages from driving a server that has no access control.

A page anywhere may send requests to 127.0.0.1 from its visitor's browser; the browser then names that page in `Origin`.
If an attacker's DNS name points at 127.0.0.1 (DNS rebinding), `Origin` and `Host` agree, but `Host` is a foreign name.
"""

import ipaddress
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from understudy.api.error_handlers import ProblemResponse, add_protocol_error
from understudy.errors import Forbidden, ForeignHost, ForeignOrigin
from understudy.settings import Settings

_CLOSED_BY_POLICY = 1008


class OriginGuard:
    """Refuses requests and WebSockets whose `Host` is a foreign name or whose `Origin` is another site."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._names = {"localhost", settings.host.lower(), *(name.lower() for name in settings.allowed_hosts)}
        self._find_known_fault = lru_cache(64)(self._find_fault)  # a client sends the same headers each time

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = None
        if scope["type"] in {"http", "websocket"}:
            headers = Headers(scope=scope)
            fault = self._find_known_fault(headers.get("host", ""), headers.get("origin"))
        if fault is None:
            await self._app(scope, receive, send)
            return
        scope["state"]["services"].recent_statistics.record_refusal(fault.code)
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _CLOSED_BY_POLICY, "reason": fault.code})
        else:
            problem = add_protocol_error(fault.problem(), scope)
            await ProblemResponse(problem, status_code=fault.status)(scope, receive, send)

    def _find_fault(self, host: str, origin: str | None) -> Forbidden | None:
        name = _split_address(f"//{host}").hostname or ""
        if name not in self._names and not _is_address(name):
            return ForeignHost(f"This server does not answer for {host or 'a request without Host'}.")
        if origin is not None and _split_address(origin).netloc.lower() != host.lower():
            return ForeignOrigin(f"Pages of {origin} may not use this server.")
        return None


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
