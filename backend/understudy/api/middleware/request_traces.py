"""Writes a span for each request."""

from collections.abc import Awaitable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from understudy.api.middleware.request_counter import OTHER, ROUTE
from understudy.api.middleware.request_ids import get_request_id
from understudy.serving.telemetry.traces import Traces


class RequestTraces:
    """Does nothing where traces are off. WebSockets are left out: a span is sent when it has ended."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not (traces := _get_traces(scope)).is_enabled:
            await self._app(scope, receive, send)
            return
        request_id = get_request_id(scope).decode()
        with traces.follow_request(scope["method"], scope["path"], Headers(scope=scope), request_id) as note:

            def send_and_note(message: Message) -> Awaitable[None]:
                if message["type"] == "http.response.start":
                    note(scope.get(ROUTE, OTHER), message["status"])
                return send(message)

            await self._app(scope, receive, send_and_note)


def _get_traces(scope: Scope) -> Traces:
    traces: Traces = scope["state"]["services"].traces
    return traces
