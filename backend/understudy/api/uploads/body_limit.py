"""Limits the size of a request's body while it arrives."""

from starlette.requests import Request
from starlette.types import Message, Receive

from understudy.errors import BodyTooLarge

# A body of more bytes is spooled to disk.
SPOOL_BYTES = 1 << 20
_REMEDY = "Send less, or raise UNDERSTUDY_MAX_UPLOAD_BYTES."


def limit_body(receive: Receive, limit: int, remedy: str = _REMEDY) -> Receive:
    """Return a `receive` that raises BodyTooLarge as soon as more than `limit` bytes have come."""
    seen = 0

    async def receive_within_limit() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise _build_too_large(limit, remedy)
        return message

    return receive_within_limit


def refuse_declared_length(request: Request, limit: int, remedy: str = _REMEDY) -> None:
    """Raises BodyTooLarge when the request's header declares more than `limit` bytes."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _build_too_large(limit, remedy)


def _build_too_large(limit: int, remedy: str) -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than {limit} bytes.", remedy=remedy)
