"""Defines the root of all errors, and a family for each kind of answer."""

from typing import ClassVar


class UnderstudyError(Exception):
    """Base class of all errors of Understudy.

    `detail` says what happened to this request. `remedy` says what to do now; without one, the class's
    `default_remedy` is used. `status` is the HTTP status, and `code` is stable: clients may depend on it.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"
    default_remedy: ClassVar[str] = (
        "Find the lines of this request in the server's log, by the answer's X-Request-ID, and report them."
    )

    def __init__(self, detail: str, *, remedy: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.remedy = remedy or self.default_remedy

    def problem(self) -> dict[str, object]:
        """Return the RFC 9457 problem document of this error as plain JSON values."""
        return {
            "type": f"urn:understudy:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "remedy": self.remedy,
        }


class Forbidden(UnderstudyError):
    status = 403
    code = "forbidden"
    title = "Not allowed"
    default_remedy = "Use the server's own page or the command line."


class NotFound(UnderstudyError):
    status = 404
    code = "not_found"
    title = "Not found"
    default_remedy = "Check the address in the API's documentation at /docs."


class Conflict(UnderstudyError):
    status = 409
    code = "conflict"
    title = "Conflict with the current state"
    default_remedy = "Read the current state, then try again."


class TooLarge(UnderstudyError):
    status = 413
    code = "too_large"
    title = "Too large"
    default_remedy = "Send less data, or raise the setting that limits it; docs/settings.md lists every setting."


class Refused(UnderstudyError):
    status = 422
    code = "refused"
    title = "Refused"
    default_remedy = "Correct the request and send it again."


class Unavailable(UnderstudyError):
    status = 503
    code = "unavailable"
    title = "Unavailable"
    default_remedy = "Try again in a few seconds."
    retry_after: int = 1  # seconds


class Misconfigured(UnderstudyError):
    code = "misconfigured"
    title = "The configuration cannot be used"
    default_remedy = "Correct the setting that the message names; docs/settings.md lists every setting."
