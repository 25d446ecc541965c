"""Says an error in gRPC's terms: a status code, words, and metadata with our own code."""

import json
from collections.abc import Mapping

import grpc

from understudy.api.problems.error_headers import build_error_headers
from understudy.errors import (
    BodyTooLarge,
    CannotServe,
    ClientGone,
    Conflict,
    FileMissing,
    Forbidden,
    LimitReached,
    MalformedRequest,
    Misconfigured,
    NotAudio,
    NotFound,
    NotSignedIn,
    OutcomeUnknown,
    Overloaded,
    Refused,
    RequestTimeout,
    TooLarge,
    TooManyAttempts,
    Unavailable,
    UnderstudyError,
    WorkerDied,
)

Metadata = tuple[tuple[str, str | bytes], ...]

# The nearest class of an error counts. Clients may send again what is answered UNAVAILABLE, and nothing else.
CODES: Mapping[type[UnderstudyError], grpc.StatusCode] = {
    NotSignedIn: grpc.StatusCode.UNAUTHENTICATED,
    Forbidden: grpc.StatusCode.PERMISSION_DENIED,
    NotFound: grpc.StatusCode.NOT_FOUND,
    Conflict: grpc.StatusCode.FAILED_PRECONDITION,
    TooLarge: grpc.StatusCode.INVALID_ARGUMENT,
    BodyTooLarge: grpc.StatusCode.RESOURCE_EXHAUSTED,  # as gRPC itself answers to a message that is too large
    MalformedRequest: grpc.StatusCode.INVALID_ARGUMENT,
    RequestTimeout: grpc.StatusCode.DEADLINE_EXCEEDED,
    TooManyAttempts: grpc.StatusCode.RESOURCE_EXHAUSTED,
    LimitReached: grpc.StatusCode.RESOURCE_EXHAUSTED,
    NotAudio: grpc.StatusCode.INVALID_ARGUMENT,
    Refused: grpc.StatusCode.INVALID_ARGUMENT,
    FileMissing: grpc.StatusCode.FAILED_PRECONDITION,
    CannotServe: grpc.StatusCode.FAILED_PRECONDITION,
    WorkerDied: grpc.StatusCode.INTERNAL,
    Unavailable: grpc.StatusCode.UNAVAILABLE,
    Overloaded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    OutcomeUnknown: grpc.StatusCode.UNKNOWN,
    ClientGone: grpc.StatusCode.CANCELLED,
    Misconfigured: grpc.StatusCode.FAILED_PRECONDITION,
    UnderstudyError: grpc.StatusCode.INTERNAL,
}

CODE = "understudy-code"
PROBLEM = "understudy-problem-bin"

# Bytes of UTF-8; gRPC sends each byte outside of ASCII as three, and clients take 8 KiB of metadata by default.
_MOST_WORDS = 1000


def find_status_code(error: UnderstudyError) -> grpc.StatusCode:
    """Return the status code of the error's class, or of the nearest class above it."""
    return next(CODES[each] for each in type(error).__mro__ if each in CODES)


def build_status(error: UnderstudyError) -> tuple[grpc.StatusCode, str, Metadata]:
    """Return the status code, the words for a person, and the trailing metadata.

    The metadata carry the error's code, the problem document of the HTTP API as JSON in UTF-8 and, where waiting helps,
    `retry-after` in seconds. Detail and remedy are shortened to a thousand bytes each.
    """
    shortened = {"detail": _shorten(error.detail), "remedy": _shorten(error.remedy)}
    problem = json.dumps(error.problem() | shortened, ensure_ascii=False).encode("utf-8", "replace")
    headers = build_error_headers(error) or {}
    metadata: Metadata = (
        (CODE, error.code),
        (PROBLEM, problem),
        *((name.lower(), value) for name, value in headers.items()),
    )
    return find_status_code(error), f"{shortened['detail']} {shortened['remedy']}", metadata


def _shorten(words: str) -> str:
    encoded = words.encode("utf-8", "replace")
    return encoded.decode() if len(encoded) <= _MOST_WORDS else encoded[: _MOST_WORDS - 3].decode(errors="ignore") + "…"
