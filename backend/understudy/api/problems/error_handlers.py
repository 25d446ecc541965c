"""Turns every error into one JSON shape: RFC 9457 (https://www.rfc-editor.org/rfc/rfc9457) plus `code` and `remedy`."""

from contextlib import suppress
from http import HTTPStatus
from typing import ClassVar

import structlog
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.exceptions import RequestValidationError, ValidationException, WebSocketRequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from understudy.api.cross_origin import add_cors_headers
from understudy.api.middleware.request_ids import HEADER, get_request_id
from understudy.api.middleware.security_headers import list_missing_headers
from understudy.api.paths import V2, is_below, strip_mount
from understudy.api.problems.error_headers import build_error_headers
from understudy.api.recording_notes import list_log_fields
from understudy.errors import ClientGone, NotFound, RequestInvalid, UnderstudyError
from understudy.schemas.inference.stream import StreamFailed
from understudy.schemas.server.problem import Problem

log = structlog.get_logger()

POLICY_VIOLATION = 1008


class ProblemResponse(JSONResponse):
    media_type: ClassVar[str] = "application/problem+json"  # type: ignore[misc]  # Starlette declares an instance attribute


def _respond(
    request: Request, problem: dict[str, object], status: int, headers: dict[str, str] | None = None
) -> ProblemResponse:
    request.state.services.recent_statistics.record_refusal(str(problem["code"]))
    return ProblemResponse(add_protocol_error(problem, request.scope), status_code=status, headers=headers)


def add_protocol_error(problem: dict[str, object], scope: Scope) -> dict[str, object]:
    """Return the problem; below /v2 with `error`, where clients of the v2 protocol look for the message."""
    if not is_below(strip_mount(scope), V2):
        return problem
    return problem | {"error": f"{problem['detail']} {problem['remedy']}"}


async def _handle_understudy_error(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, UnderstudyError)  # noqa: S101  # registered for this class only
    _log_refusal(request, error)
    return _respond(request, error.problem(), error.status, build_error_headers(error))


def refuse_rest(request: Request, error: UnderstudyError) -> Problem:
    """Log and count an error that ends an answer which has begun, and return the problem for its last line."""
    _log_refusal(request, error)
    request.state.services.recent_statistics.record_refusal(error.code)
    return Problem.from_error(error)


def _log_refusal(request: Request, error: UnderstudyError) -> None:
    level = "error" if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "info"
    getattr(log, level)(
        "request refused",
        method=request.scope.get("method", "WEBSOCKET"),  # a WebSocket that is refused has none
        path=request.url.path,
        code=error.code,
        detail=error.detail,
        **list_log_fields(request),
    )


async def _handle_invalid_request(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for this class only
    return _respond(request, _build_invalid_problem(error), RequestInvalid.status)


async def _handle_invalid_stream(socket: WebSocket, error: Exception) -> None:
    assert isinstance(error, WebSocketRequestValidationError)  # noqa: S101  # registered for this class only
    # A browser hides from its page why a handshake failed, so the handshake succeeds and a message says it.
    await socket.accept()
    with suppress(WebSocketDisconnect):
        await refuse_stream(socket, _build_invalid_problem(error))


def _build_invalid_problem(error: ValidationException) -> dict[str, object]:
    faults = [{"where": ".".join(str(part) for part in fault["loc"]), "what": fault["msg"]} for fault in error.errors()]
    summary = "; ".join(f"{fault['where']}: {fault['what']}" for fault in faults)
    return RequestInvalid(summary).problem() | {"errors": faults}


async def refuse_stream(socket: WebSocket, problem: dict[str, object], code: int = POLICY_VIOLATION) -> None:
    """Send the problem on an accepted socket and close it with the status `code` of RFC 6455.

    Raises WebSocketDisconnect when the client is gone.
    """
    socket.state.services.recent_statistics.record_refusal(str(problem["code"]))
    await socket.send_text(StreamFailed(problem=Problem.model_validate(problem)).model_dump_json())
    await socket.close(code)


async def _handle_http_error(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for this class only
    if error.status_code == HTTPStatus.NOT_FOUND:
        return _respond(request, NotFound(f"Nothing is served at {request.url.path}.").problem(), NotFound.status)
    problem = RequestInvalid(f"{request.method} {request.url.path}: {str(error.detail).rstrip('.')}.").problem()
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.BAD_REQUEST:  # FastAPI's status for a body that it cannot parse
        return _respond(request, problem, RequestInvalid.status)
    code = status.phrase.lower().replace(" ", "_")
    problem |= {
        "type": f"urn:understudy:problem:{code}",
        "status": status.value,
        "code": code,
        "title": status.phrase,
    }
    return _respond(request, problem, status, dict(error.headers or {}))


async def _handle_disconnect(request: Request, _: Exception) -> ProblemResponse:
    """Log that the client disconnected.

    No client reads the response. The requests are counted under its status, and it is not counted as a refusal.
    """
    log.info("client went away", method=request.method, path=request.url.path)
    return ProblemResponse(ClientGone("The client closed the connection.").problem(), status_code=ClientGone.status)


async def _handle_unforeseen_error(request: Request, error: Exception) -> ProblemResponse:
    log.error("request failed", method=request.method, path=request.url.path, exc_info=error)
    response = _respond(request, build_unforeseen_problem(), UnderstudyError.status)
    # The framework sends this response outside of all middleware, which adds these headers to the others.
    add_cors_headers(response.headers, request.headers.get("origin"), request.state.services.settings.allowed_origins)
    response.raw_headers += list_missing_headers(request.scope, {"headers": response.raw_headers})
    response.raw_headers.append((HEADER, get_request_id(request.scope)))
    return response


def build_unforeseen_problem() -> dict[str, object]:
    """Return the problem of an error that nobody foresaw; the log has the error itself."""
    return UnderstudyError("The server failed with an unexpected error.").problem()


def install_problem_handlers(app: FastAPI) -> None:
    """Register the handlers of all errors that routes raise."""
    app.add_exception_handler(UnderstudyError, _handle_understudy_error)
    app.add_exception_handler(RequestValidationError, _handle_invalid_request)
    app.add_exception_handler(WebSocketRequestValidationError, _handle_invalid_stream)
    app.add_exception_handler(HTTPException, _handle_http_error)
    app.add_exception_handler(ClientDisconnect, _handle_disconnect)
    app.add_exception_handler(Exception, _handle_unforeseen_error)
