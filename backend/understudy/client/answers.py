"""Turns HTTP answers and connection failures into typed answers and the errors of `understudy.errors`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from understudy.access_settings import is_loopback
from understudy.errors import RequestInvalid, Unavailable
from understudy.errors.problem_documents import error_from_problem

Answer = TypeVar("Answer", bound=BaseModel)

# A server with slow cores needs minutes for an hour of audio.
TIMEOUT = httpx.Timeout(900.0, connect=5.0)
_ADDRESS_REMEDY = "Give the address of an Understudy server of this version (--url, UNDERSTUDY_URL)."
# A load balancer or Ray's proxy whose server ended under the request, or that has none.
_GATEWAY_REMEDY = (
    "A proxy in front answered for a server that ended or is missing. A prediction can be sent again; see what became "
    "of a change first: `understudy list`. If it stays so, see whether the servers run, or correct the address (--url, "
    "UNDERSTUDY_URL)."
)


def parse_base_url(url: str) -> httpx.URL:
    """Return the address of the API below `url`, such as `http://127.0.0.1:8000`; a path before /api is kept.

    Raises RequestInvalid for anything but an http or https address.
    """
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise RequestInvalid(f"{url} is not an address: {error}", remedy="Give it as http://HOST:PORT.") from error
    if address.scheme not in {"http", "https"} or not address.host:
        raise RequestInvalid(f"{url} is not an http address.", remedy="Give it as http://HOST:PORT.")
    return address.copy_with(path=address.path.rstrip("/") + "/api/v1/")


def build_headers(key: str | None) -> dict[str, str]:
    """Return the headers of every request: the key, where there is one."""
    return {} if key is None else {"Authorization": f"Bearer {key}"}


def uses_environment_proxy(base_url: httpx.URL) -> bool:
    """Return False for a server on this machine: a proxy from the environment is for other addresses."""
    return not is_loopback(base_url.host)


@contextmanager
def translate_transport_errors(base_url: httpx.URL) -> Iterator[None]:
    """Raise Unavailable where the server gives no answer."""
    try:
        yield
    except httpx.TransportError as error:
        raise Unavailable(
            f"No answer from {base_url}: {str(error) or type(error).__name__}",
            remedy="Start the server with `understudy serve`, or correct its address (--url, UNDERSTUDY_URL).",
        ) from error


def parse_answer(kind: type[Answer], answer: httpx.Response) -> Answer:
    """Return the body as `kind`. Raises the error that the server answered with, as the class that it came from."""
    raise_problem(answer)
    return parse_document(kind, answer, answer.content)


def raise_problem(answer: httpx.Response) -> None:
    """Raise the error of a problem document (RFC 9457); the body must have been read."""
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        raise error_from_problem(answer.json())


def parse_document(kind: type[Answer], answer: httpx.Response, document: str | bytes) -> Answer:
    """Return `document`, the body of `answer` or a line of it, as `kind`. Raises Unavailable for another server's."""
    try:
        return kind.model_validate_json(document)
    except ValidationError as error:
        raise Unavailable(
            f"{answer.url} answered {answer.status_code} with something that is not Understudy's.",
            remedy=_GATEWAY_REMEDY if answer.is_server_error else _ADDRESS_REMEDY,
        ) from error
