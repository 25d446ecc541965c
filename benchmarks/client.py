"""One kept connection, and requests after each other on it."""

import json
import time
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from benchmarks.server import ServerError


class Client:
    """The standard library's client: a tenth of a millisecond a request of its own."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)

    def ask(self, method: str, path: str, body: object = None) -> tuple[bytes, float]:
        """The answer and the seconds until it was there. Raises ServerError for anything but a 2xx."""
        content = None if body is None else json.dumps(body).encode()
        began = time.perf_counter()
        self._connection.request(method, path, content, {"content-type": "application/json"})
        answer = self._connection.getresponse()
        text = answer.read()
        took = time.perf_counter() - began
        if answer.status >= 300:
            raise ServerError(f"{method} {path} answers {answer.status}: {text[:300]!r}")
        return text, took

    def json(self, method: str, path: str, body: object = None) -> Any:
        return json.loads(self.ask(method, path, body)[0])

    def close(self) -> None:
        self._connection.close()
