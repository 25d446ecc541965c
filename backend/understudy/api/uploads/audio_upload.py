"""Receives the audio of a request, multipart or raw, spooled to disk past a mebibyte and never past the limit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.types import Message, Receive

from understudy.disk_errors import translate_disk_errors
from understudy.errors import BodyTooLarge, RequestInvalid

SPOOL_BYTES = 1 << 20
FIELD = "audio_file"
_SPOOL = "the folder for temporary files"
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


def _build_too_large(limit: int, remedy: str) -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than {limit} bytes.", remedy=remedy)


@asynccontextmanager
async def receive_recording(request: Request, limit: int) -> AsyncIterator[BinaryIO]:
    """Yield the request's audio as a seekable file, and close it afterwards.

    Raises BodyTooLarge, RequestInvalid for a multipart body without the field or another content type, and
    StorageUnavailable where a long one cannot be spooled.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _build_too_large(limit, _REMEDY)
    limited = Request(request.scope, limit_body(request.receive, limit))
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == "multipart/form-data":
        reader = _open_multipart(limited)
    elif content_type.startswith(("audio/", "video/")) or content_type in {
        "application/octet-stream",
        "application/ogg",
    }:
        reader = _open_raw(limited)
    else:
        raise RequestInvalid(
            f"The content type is {content_type or 'missing'}.",
            remedy=f"Send multipart/form-data with the field {FIELD}, or the audio itself as audio/*.",
        )
    async with reader as file:
        yield file


@asynccontextmanager
async def _open_multipart(request: Request) -> AsyncIterator[BinaryIO]:
    with translate_disk_errors(_SPOOL):
        form = await request.form(max_files=1, max_fields=8)
    try:
        part = form.get(FIELD)
        if not isinstance(part, UploadFile):
            raise RequestInvalid(
                f"The form has no file field named {FIELD}.",
                remedy=f"Send the recording as {FIELD}, for example: curl -F {FIELD}=@clip.wav …/api/v1/predict",
            )
        yield part.file
    finally:
        await form.close()


@asynccontextmanager
async def _open_raw(request: Request) -> AsyncIterator[BinaryIO]:
    start: list[bytes] = []
    size = 0
    chunks = request.stream()
    async for chunk in chunks:
        start.append(chunk)
        size += len(chunk)
        if size > SPOOL_BYTES:
            break
    else:
        yield BytesIO(b"".join(start))
        return
    with SpooledTemporaryFile(SPOOL_BYTES) as file:
        upload = UploadFile(cast("BinaryIO", file))  # writes in a thread once the spool is on disk
        with translate_disk_errors(_SPOOL):
            await upload.write(b"".join(start))
            async for chunk in chunks:
                await upload.write(chunk)
            await upload.seek(0)
        yield upload.file
