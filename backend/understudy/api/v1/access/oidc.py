"""Sends a browser to an OpenID provider to sign in, and takes its answer."""

import base64
import binascii
import json
import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from understudy.access.actions import Action
from understudy.access.oidc.client import OidcAttempt
from understudy.api.access.permission import CurrentCaller, require
from understudy.api.access.session_cookie import read_cookie, set_cookie
from understudy.api.dependencies import Served
from understudy.api.middleware.access_guard import find_address
from understudy.api.paths import OIDC, SESSION, V1, add_mount, is_page
from understudy.api.problems.problem_responses import describe_problems
from understudy.errors import (
    IssuerUnavailable,
    NoRole,
    NotFound,
    NotSignedIn,
    RequestInvalid,
    SignInFailed,
    TooManyAttempts,
    UnderstudyError,
)

router = APIRouter(prefix=f"{SESSION}{OIDC}", tags=["access"], dependencies=require(Action.SIGN_IN))

_COOKIE = "understudy_sign_in"
_PLACE = f"{V1}{SESSION}{OIDC}"
_CALLBACK = "/callback"
_ATTEMPT_SECONDS = 600
# An address of this page: not `//host` or `/\\host`, which browsers take for another site's, and no control character.
_LOCAL_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")
_LONGEST_PATH = 1000

_SEE_OTHER = 303
_REDIRECT: dict[int | str, dict[str, Any]] = {
    _SEE_OTHER: {"description": "The browser goes on to the address in `Location`"}
}


@router.get(
    "",
    summary="Sign in at the provider",
    status_code=_SEE_OTHER,
    response_class=RedirectResponse,
    responses=_REDIRECT | describe_problems(NotFound, RequestInvalid, IssuerUnavailable),
)
async def begin(
    services: Served,
    request: Request,
    next_path: Annotated[
        str, Query(alias="next", max_length=_LONGEST_PATH, description="Address of the page to go to afterwards")
    ] = "/",
) -> Response:
    """Send the browser to the provider. A cookie ties the provider's answer to this browser."""
    if not _is_local(next_path):
        raise RequestInvalid(
            "`next` is not an address of this page.", remedy="Give a path of the page, such as /models/1."
        )
    try:
        url, attempt = await services.access.oidc.begin(_build_redirect_uri(request), next_path)
    except UnderstudyError as error:
        return _show_problem(request, error)
    response = RedirectResponse(url, status_code=_SEE_OTHER)
    response.set_cookie(
        _COOKIE,
        base64.urlsafe_b64encode(json.dumps(attempt.to_fields()).encode()).decode(),
        max_age=_ATTEMPT_SECONDS,
        path=add_mount(request.scope, _PLACE),
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",  # the provider's page sends the browser back here
    )
    return response


@router.get(
    _CALLBACK,
    summary="Take the provider's answer",
    status_code=_SEE_OTHER,
    response_class=RedirectResponse,
    responses=_REDIRECT | describe_problems(SignInFailed, NotSignedIn, NoRole, TooManyAttempts, IssuerUnavailable),
)
async def finish(services: Served, caller: CurrentCaller, request: Request) -> Response:
    """Begin a session with the provider's answer, and send the browser to the page."""
    access = services.access
    attempt = _read_attempt(request)
    try:
        session = await access.oidc.finish(
            attempt,
            request.query_params,
            _build_redirect_uri(request),
            find_address(request.scope),
            request.headers.get("user-agent"),
        )
    except UnderstudyError as error:
        response = _show_problem(request, error)
    else:
        if caller.by_session and (earlier := read_cookie(request.headers)) is not None:
            await access.sign_ins.sign_out(earlier)
        await access.refresh()
        next_path = attempt.next_path if attempt is not None else "/"
        response = RedirectResponse(add_mount(request.scope, next_path), status_code=_SEE_OTHER)
        set_cookie(request, response, session)
    response.delete_cookie(_COOKIE, path=add_mount(request.scope, _PLACE), httponly=True, samesite="lax")
    return response


def _build_redirect_uri(request: Request) -> str:
    """Return the callback's address as the browser reaches it; the provider sends codes to known addresses only."""
    place = add_mount(request.scope, f"{_PLACE}{_CALLBACK}")
    return f"{request.url.scheme}://{request.url.netloc}{place}"


def _show_problem(request: Request, error: UnderstudyError) -> Response:
    """Send a browser to the page, which shows the problem by its code; raise it for other clients."""
    if "text/html" not in request.headers.get("accept", ""):
        raise error
    place = add_mount(request.scope, f"/?sign_in_problem={error.code}")
    return RedirectResponse(place, status_code=_SEE_OTHER)


def _read_attempt(request: Request) -> OidcAttempt | None:
    """Return the attempt that this browser began, or None for a cookie that is absent or damaged."""
    try:
        fields = json.loads(base64.urlsafe_b64decode(request.cookies.get(_COOKIE, "")))
        attempt = OidcAttempt(**{name: str(value) for name, value in fields.items()})
    except (ValueError, TypeError, AttributeError, binascii.Error):
        return None
    return attempt if _is_local(attempt.next_path) else None


def _is_local(path: str) -> bool:
    return _LOCAL_PATH.fullmatch(path) is not None and is_page(path.partition("?")[0])
