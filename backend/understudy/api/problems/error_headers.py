"""The headers that an error's answer has."""

from http import HTTPStatus

from understudy.errors import LimitReached, NotSignedIn, TooManyAttempts, Unavailable, UnderstudyError


def build_error_headers(error: UnderstudyError) -> dict[str, str] | None:
    """Return when to try again, and for 401 the way to sign in (RFC 9110, section 11.6.1)."""
    if isinstance(error, NotSignedIn):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, Unavailable | TooManyAttempts | LimitReached):
        return {"Retry-After": str(error.retry_after)}
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        return {"Retry-After": str(Unavailable.retry_after)}
    return None
