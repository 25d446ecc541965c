"""Answers of the protocol itself, for requests that the application does not see."""

import json
from collections.abc import Iterable
from http import HTTPStatus

from understudy.errors import Unavailable, UnderstudyError
from understudy.security_headers import SECURITY_HEADERS


def build_refusal(error: UnderstudyError, headers: Iterable[tuple[bytes, bytes]] = ()) -> bytes:
    """Return the whole HTTP/1.1 response with the problem document of `error`; the connection is closed after it."""
    body = json.dumps(error.problem()).encode()
    lines = [b"HTTP/1.1 %d %s" % (error.status, HTTPStatus(error.status).phrase.encode())]
    lines += [name + b": " + value for name, value in (*headers, *SECURITY_HEADERS)]
    if isinstance(error, Unavailable):
        lines.append(b"retry-after: 1")
    lines += [b"content-type: application/problem+json", b"content-length: %d" % len(body), b"connection: close"]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
