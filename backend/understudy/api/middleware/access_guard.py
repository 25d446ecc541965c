"""Finds out who sends each request, and refuses those who must say it and don't.

What a caller may do is decided by the route (`api/access/permission.py`).
"""

import asyncio
from collections.abc import Awaitable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from understudy.access.access import Access
from understudy.access.caller import OPEN, STRANGER, Caller
from understudy.access.credentials.credential import Credential
from understudy.api.access.failed_keys import FailedKeys, read_bearer
from understudy.api.access.permission import set_caller
from understudy.api.access.session_cookie import read_cookie
from understudy.api.paths import EVENTS, V1, is_public, strip_mount
from understudy.api.problems.error_handlers import ProblemResponse, add_protocol_error
from understudy.api.problems.error_headers import build_error_headers
from understudy.errors import ForeignOrigin, LimitReached, NotSignedIn, UnderstudyError
from understudy.schemas.inference.stream import StreamFailed
from understudy.schemas.server.problem import Problem

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_CLOSED_BY_POLICY = 1008
_EVENT_STREAM = f"{V1}{EVENTS}"


class AccessGuard:
    """Names the caller of each request and WebSocket, and ends the streams of a caller who loses the right."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._failed_keys = FailedKeys()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        access: Access = scope["state"]["services"].access
        credential: Credential | None = None
        caller = OPEN
        if access.authenticator.is_required:
            try:
                credential, caller = await self._identify(access, scope)
            except UnderstudyError as error:
                await _refuse(error, scope, receive, send)
                return
        set_caller(scope, caller)
        limits = access.limits.find(caller)
        if limits is None or is_public(strip_mount(scope)):
            await self._run(access, credential, caller, scope, receive, send)
            return
        entered = False
        try:
            # An open event stream asks for nothing more: it takes no place among the requests that run.
            with access.limits.enter(caller, limits, works=strip_mount(scope) != _EVENT_STREAM):
                entered = True
                await self._run(access, credential, caller, scope, receive, send)
        except LimitReached as error:
            if entered:
                raise
            scope["state"]["services"].counters.limited[caller.kind or "none"] += 1
            await _refuse(error, scope, receive, send)

    async def _run(
        self, access: Access, credential: Credential | None, caller: Caller, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if scope["type"] == "websocket" or strip_mount(scope) == _EVENT_STREAM:
            await self._run_endless(access, credential, caller, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _identify(self, access: Access, scope: Scope) -> tuple[Credential | None, Caller]:
        """Return the credential and its caller. Raises NotSignedIn, ForeignOrigin, Unavailable.

        On public paths a credential that does not hold counts as none.
        """
        headers = Headers(scope=scope)
        credential = _find_credential(headers)
        public = is_public(strip_mount(scope))
        if credential is None:
            if public:
                return None, STRANGER
            raise NotSignedIn("This needs a sign-in or a key.")
        try:
            caller = await access.authenticator.identify(credential)
        except UnderstudyError as error:
            if isinstance(error, NotSignedIn) and not credential.is_session:
                await self._failed_keys.record(access, find_address(scope), error)
            if public:
                return None, STRANGER
            raise
        if caller.by_session:
            _refuse_forgery(scope, headers)
        return credential, caller

    async def _run_endless(
        self, access: Access, credential: Credential | None, caller: Caller, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Run the application until it ends, or until the caller loses the right; a last message then says so."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # a coroutine runs in a task
        cancelling, ended, begun, over = task.cancelling(), False, False, False

        def end() -> None:
            nonlocal ended
            ended = True
            task.cancel()

        def note_and_send(message: Message) -> Awaitable[None]:
            nonlocal begun, over
            begun = begun or message["type"] in {"http.response.start", "websocket.accept"}
            over = over or message["type"] == "websocket.close"
            return send(message)

        try:
            with access.streams.follow(credential, caller, end):
                await self._app(scope, receive, note_and_send)
        except asyncio.CancelledError:
            if not ended or task.uncancel() > cancelling:
                raise
            error = NotSignedIn("The right by which this stream was opened has ended.")
            if not begun:
                await _refuse(error, scope, receive, send)
            elif not over:
                await _send_end(error, scope, send)


def find_address(scope: Scope) -> str:
    """Return the client's network address, as the trusted proxies say it."""
    client = scope.get("client")
    return client[0] if client else "unknown"


def _find_credential(headers: Headers) -> Credential | None:
    """Return the bearer token, or else the cookie. `Authorization` of other kinds is a proxy's own."""
    if (bearer := read_bearer(headers.get("authorization", ""))) is not None:
        return bearer
    token = read_cookie(headers)
    return None if token is None else Credential(token, is_session=True)


def _refuse_forgery(scope: Scope, headers: Headers) -> None:
    """Raises ForeignOrigin unless the server's own page sent this: browsers add the cookie to requests of others too.

    OriginGuard has refused pages of other sites. The pages that it allows use keys, not the sessions of their visitors.
    """
    if scope["type"] == "http" and scope["method"] in _SAFE_METHODS:
        return
    origin = headers.get("origin")
    if origin is None:
        if headers.get("sec-fetch-site") == "same-origin":
            return
        raise ForeignOrigin(
            "The request has a session's cookie, but no Origin.", remedy="Programs use a key instead of a session."
        )
    if origin.partition("://")[2].lower() != headers.get("host", "").lower():
        raise ForeignOrigin(
            "A session is for the server's own page only.", remedy="Send a key as `Authorization: Bearer KEY` instead."
        )


async def _refuse(error: UnderstudyError, scope: Scope, receive: Receive, send: Send) -> None:
    scope["state"]["services"].recent_statistics.record_refusal(error.code)
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": _CLOSED_BY_POLICY, "reason": error.code})
        return
    problem = add_protocol_error(error.problem(), scope)
    response = ProblemResponse(problem, status_code=error.status, headers=build_error_headers(error))
    await response(scope, receive, send)


async def _send_end(error: UnderstudyError, scope: Scope, send: Send) -> None:
    if scope["type"] == "websocket":
        message = StreamFailed(problem=Problem.from_error(error)).model_dump_json()
        await send({"type": "websocket.send", "text": message})
        await send({"type": "websocket.close", "code": _CLOSED_BY_POLICY})
    else:
        body = b": goodbye: the sign-in ended\n\n"
        await send({"type": "http.response.body", "body": body, "more_body": False})
