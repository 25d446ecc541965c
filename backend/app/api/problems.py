"""Every error leaves as one JSON shape: RFC 9457 (https://www.rfc-editor.org/rfc/rfc9457) plus `code` and `remedy`."""

from http import HTTPStatus
from typing import ClassVar

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.errors import NotFound, RequestInvalid, UnderstudyError

log = structlog.get_logger()


class ProblemResponse(JSONResponse):
    media_type: ClassVar[str] = "application/problem+json"  # type: ignore[misc]  # Starlette declares an instance attribute


def _respond(
    request: Request, problem: dict[str, object], status: int, headers: dict[str, str] | None = None
) -> ProblemResponse:
    request.state.services.traffic.refused(str(problem["code"]))
    return ProblemResponse(problem, status_code=status, headers=headers)


async def _understudy(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, UnderstudyError)  # noqa: S101  # registered for this class only
    level = "error" if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "info"
    getattr(log, level)(
        "request refused", method=request.method, path=request.url.path, code=error.code, detail=error.detail
    )
    retry = {"Retry-After": "1"} if error.status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return _respond(request, error.problem(), error.status, retry)


async def _validation(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for this class only
    faults = [{"where": ".".join(str(part) for part in fault["loc"]), "what": fault["msg"]} for fault in error.errors()]
    problem = RequestInvalid("; ".join(f"{fault['where']}: {fault['what']}" for fault in faults)).problem()
    return _respond(request, problem | {"errors": faults}, RequestInvalid.status)


async def _http(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for this class only
    if error.status_code == HTTPStatus.NOT_FOUND:
        return _respond(request, NotFound(f"Nothing is served at {request.url.path}.").problem(), NotFound.status)
    problem = RequestInvalid(str(error.detail)).problem()
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.BAD_REQUEST:  # a body that cannot be parsed, as a body that says the wrong thing
        return _respond(request, problem, RequestInvalid.status)
    code = status.phrase.lower().replace(" ", "_")
    problem |= {
        "type": f"urn:understudy:problem:{code}",
        "status": status.value,
        "code": code,
        "title": status.phrase,
    }
    return _respond(request, problem, status, dict(error.headers or {}))


async def _gone(request: Request, _: Exception) -> ProblemResponse:
    """Nobody reads this answer, and nothing failed here."""
    log.info("client went away", method=request.method, path=request.url.path)
    problem = RequestInvalid("The connection ended before the body was complete.").problem()
    return ProblemResponse(problem, status_code=RequestInvalid.status)


async def _unforeseen(request: Request, error: Exception) -> ProblemResponse:
    log.error("request failed", method=request.method, path=request.url.path, exc_info=error)
    return _respond(
        request, UnderstudyError("The server met an error it did not foresee.").problem(), UnderstudyError.status
    )


def install_problem_handlers(app: FastAPI) -> None:
    """Register the handlers; nothing else in the package turns an error into a response."""
    app.add_exception_handler(UnderstudyError, _understudy)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unforeseen)
