"""Signs people in and out over HTTP, and tells every caller who they are."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.datastructures import Headers

from understudy.access.actions import Action, describe_refusal
from understudy.access.caller import Caller
from understudy.api.access.permission import CurrentCaller, require
from understudy.api.access.session_cookie import delete_cookie, read_cookie, set_cookie
from understudy.api.dependencies import Served
from understudy.api.middleware.access_guard import find_address
from understudy.api.paths import SESSION
from understudy.api.problems.problem_responses import describe_problems
from understudy.api.uploads.json_route import JsonRoute
from understudy.errors import NotAllowed, NotSignedIn, RequestInvalid, TooManyAttempts
from understudy.schemas.access.session import AccessState, Permission, SignIn

router = APIRouter(prefix=SESSION, tags=["access"], route_class=JsonRoute)

Everywhere = Annotated[bool, Query(description="true ends all sessions of this person, on every device")]


@router.get("", summary="Who the caller is", dependencies=require(Action.SIGN_IN))
async def get_session(services: Served, caller: CurrentCaller) -> AccessState:
    """Return the caller, their role, and for each action whether it is allowed or why not."""
    return _describe(caller, services.access.oidc.provider_name)


@router.post(
    "",
    summary="Sign in",
    responses=describe_problems(NotSignedIn, TooManyAttempts, NotAllowed, RequestInvalid),
    dependencies=require(Action.SIGN_IN),
)
async def sign_in(
    services: Served, caller: CurrentCaller, body: SignIn, request: Request, response: Response
) -> AccessState:
    """Begin a session of a browser: the answer sets a cookie that no script can read."""
    if caller.is_open:
        raise NotAllowed(
            "There are no accounts, and everybody may do everything.",
            remedy="Make the first account with `understudy users add NAME --role admin`.",
        )
    sign_ins = services.access.sign_ins
    session = await sign_ins.sign_in(
        body.name,
        body.password.get_secret_value(),
        find_address(request.scope),
        request.headers.get("user-agent"),
    )
    if caller.by_session and (earlier := read_cookie(request.headers)) is not None:
        await sign_ins.sign_out(earlier)
    set_cookie(request, response, session)
    caller = await services.access.authenticator.identify(session.credential)
    return _describe(caller, services.access.oidc.provider_name)


@router.delete("", summary="Sign out", dependencies=require(Action.SIGN_IN))
async def sign_out(
    services: Served, caller: CurrentCaller, request: Request, response: Response, everywhere: Everywhere = False
) -> AccessState:
    """End the session; its open event streams and WebSockets end as well."""
    token = read_cookie(Headers(scope=request.scope))
    if caller.by_session and token is not None:
        if everywhere and caller.principal_id is not None:
            await services.access.sign_ins.sign_out_everywhere(caller.principal_id)
        else:
            await services.access.sign_ins.sign_out(token)
        await services.access.refresh()
    delete_cookie(request, response)
    return _describe(Caller(is_open=caller.is_open), services.access.oidc.provider_name)


def _describe(caller: Caller, provider: str | None) -> AccessState:
    permissions = {}
    for action in Action:
        allowed = caller.may(action)
        reason = "Sign in first." if not caller.is_signed_in else describe_refusal(action, caller.role)
        permissions[action.value] = Permission(allowed=allowed, reason=None if allowed else reason)
    return AccessState(
        access="open" if caller.is_open else "required",
        signed_in=caller.is_signed_in,
        principal_id=caller.principal_id,
        kind=caller.kind,
        name=caller.name,
        role=caller.role,
        source=caller.source,
        by_session=caller.by_session,
        sign_in_with=provider,
        permissions=permissions,
    )
