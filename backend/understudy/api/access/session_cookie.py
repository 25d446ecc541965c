"""The cookie of a browser's session."""

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from understudy.access.accounts.sign_in import NewSession
from understudy.api.paths import add_mount

NAME = "understudy_session"


def read_cookie(headers: Headers) -> str | None:
    """Return the session's token, or None without one."""
    cookies = headers.get("cookie")
    if cookies is None or NAME not in cookies:
        return None
    for part in cookies.split(";"):
        name, _, value = part.strip().partition("=")
        if name == NAME and value:
            return value
    return None


def set_cookie(request: Request, response: Response, session: NewSession) -> None:
    """Give the browser the session: no script can read it, and no other site's page can send it."""
    response.set_cookie(
        NAME,
        session.token,
        max_age=session.seconds,
        path=add_mount(request.scope, "/"),
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def delete_cookie(request: Request, response: Response) -> None:
    response.delete_cookie(
        NAME,
        path=add_mount(request.scope, "/"),
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
