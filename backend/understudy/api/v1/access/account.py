"""The caller's own account, over HTTP: password and sessions."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from understudy.access.accounts.own_account import SESSION_ID_DIGITS
from understudy.access.actions import Action
from understudy.api.access.permission import CurrentCaller, require
from understudy.api.access.session_cookie import read_cookie, set_cookie
from understudy.api.dependencies import Served
from understudy.api.middleware.access_guard import find_address
from understudy.api.paths import ACCOUNT
from understudy.api.problems.problem_responses import describe_problems
from understudy.api.uploads.json_route import JsonRoute
from understudy.errors import AccountRefused, PasswordRefused, RequestInvalid, SessionNotFound, TooManyAttempts
from understudy.schemas.access.session import PasswordChange, SessionList

router = APIRouter(prefix=ACCOUNT, tags=["access"], route_class=JsonRoute, dependencies=require(Action.OWN_ACCOUNT))

SessionId = Annotated[str, Path(pattern=f"^[0-9a-f]{{{SESSION_ID_DIGITS}}}$", description="`session_id` of the list")]


@router.put(
    "/password",
    summary="Change one's own password",
    responses=describe_problems(AccountRefused, PasswordRefused, TooManyAttempts, RequestInvalid),
)
async def change_password(
    services: Served, caller: CurrentCaller, body: PasswordChange, request: Request, response: Response
) -> SessionList:
    """Set a new password. It ends all sessions of the person; this browser gets a new one by the answer's cookie."""
    access = services.access
    session = await access.own_account.change_password(
        caller,
        body.current_password.get_secret_value(),
        body.new_password.get_secret_value(),
        find_address(request.scope),
        request.headers.get("user-agent"),
    )
    await access.refresh()
    set_cookie(request, response, session)
    return SessionList(sessions=await access.own_account.list_sessions(caller, session.token))


@router.get("/sessions", summary="List one's own sessions")
async def list_sessions(services: Served, caller: CurrentCaller, request: Request) -> SessionList:
    """The browsers in which the person is signed in, newest first. A key has no sessions."""
    token = read_cookie(request.headers) if caller.by_session else None
    return SessionList(sessions=await services.access.own_account.list_sessions(caller, token))


@router.delete(
    "/sessions/{session_id}", summary="End one of one's own sessions", responses=describe_problems(SessionNotFound)
)
async def end_session(services: Served, caller: CurrentCaller, request: Request, session_id: SessionId) -> SessionList:
    """Sign out in another browser; its open event streams and WebSockets end within a second."""
    access = services.access
    await access.own_account.end_session(caller, session_id)
    await access.refresh()
    token = read_cookie(request.headers) if caller.by_session else None
    return SessionList(sessions=await access.own_account.list_sessions(caller, token))
