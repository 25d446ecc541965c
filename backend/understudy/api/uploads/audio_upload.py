"""The audio of a request, multipart or raw, spooled to disk past a megabyte and never past the limit."""

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
    """`receive`, which raises BodyTooLarge as soon as more than `limit` bytes have come."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise _too_large(limit, remedy)
        return message

    return counted


def _too_large(limit: int, remedy: str) -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than {limit} bytes.", remedy=remedy)


@asynccontextmanager
async def receive_recording(request: Request, limit: int) -> AsyncIterator[BinaryIO]:
    """The request's audio as a seekable file, closed afterwards.

    Raises BodyTooLarge, RequestInvalid for a multipart body without the field or another content type, and
    StorageUnavailable where a long one cannot be spooled.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit, _REMEDY)
    within = Request(request.scope, limit_body(request.receive, limit))
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        reader = _multipart(within)
    elif kind.startswith(("audio/", "video/")) or kind in {"application/octet-stream", "application/ogg"}:
        reader = _raw(within)
    else:
        raise RequestInvalid(
            f"The content type is {kind or 'missing'}.",
            remedy=f"Send multipart/form-data with the field {FIELD}, or the audio itself as audio/*.",
        )
    async with reader as file:
        yield file


@asynccontextmanager
async def _multipart(request: Request) -> AsyncIterator[BinaryIO]:
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
async def _raw(request: Request) -> AsyncIterator[BinaryIO]:
    held: list[bytes] = []
    size = 0
    chunks = request.stream()
    async for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size > SPOOL_BYTES:
            break
    else:
        yield BytesIO(b"".join(held))
        return
    with SpooledTemporaryFile(SPOOL_BYTES) as file:
        upload = UploadFile(cast("BinaryIO", file))  # writes in a thread once the spool is on disk
        with translate_disk_errors(_SPOOL):
            await upload.write(b"".join(held))
            async for chunk in chunks:
                await upload.write(chunk)
            await upload.seek(0)
        yield upload.file
