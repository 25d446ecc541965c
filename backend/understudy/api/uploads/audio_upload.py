"""Receives the audio of a request: a form, the file itself, raw samples, or base64 in JSON.

A body of more than a mebibyte is spooled to disk; a body past the limit is refused while it arrives.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from starlette.datastructures import UploadFile
from starlette.requests import Request

from understudy.api.uploads.base64_json import receive_document
from understudy.api.uploads.body_limit import SPOOL_BYTES, limit_body, refuse_declared_length
from understudy.api.uploads.content_type import ContentType
from understudy.api.uploads.multipart import FIELD, receive_form
from understudy.api.uploads.raw_samples import find_raw_samples
from understudy.errors import RequestInvalid
from understudy.files.disk_errors import translate_disk_errors
from understudy.schemas.inference.recording import RecordingFields

_UNNAMED = {"", "application/x-www-form-urlencoded"}  # curl --data sends the latter unless a header is given


@dataclass(frozen=True)
class Recording:
    """A recording as a seekable file, and what the client says about it."""

    source: BinaryIO
    fields: RecordingFields


@asynccontextmanager
async def receive_recording(request: Request, limit: int, fields: RecordingFields) -> AsyncIterator[Recording]:
    """Yield the request's recording, and close it afterwards; `fields` are those of the query.

    Raises BodyTooLarge; RequestInvalid for a form with no file or several, for JSON without audio, for raw samples
    without a declared rate and for another content type; and StorageUnavailable where a long body cannot be spooled.
    """
    refuse_declared_length(request, limit)
    content_type = ContentType.parse(request.headers.get("content-type"))
    if content_type.name == "multipart/form-data":
        form = await receive_form(request, limit, fields, max_files=1)
        yield Recording(form.files[0].source, form.fields)
        return
    if content_type.is_json:
        document = await receive_document(request, limit, fields)
        yield Recording(document.source, document.fields)
        return
    raw = find_raw_samples(content_type, fields)
    if raw is None and not content_type.is_audio and content_type.name != "application/octet-stream":
        raise await _build_unknown_type(request, content_type)
    async with _spool_body(Request(request.scope, limit_body(request.receive, limit))) as file:
        yield Recording(file if raw is None else raw.add_header(file), fields)


async def _build_unknown_type(request: Request, content_type: ContentType) -> RequestInvalid:
    """Return the error for a body without a type that says audio; its beginning decides which header is named."""
    start = b""
    if content_type.name in _UNNAMED:
        async for chunk in request.stream():
            start = chunk.lstrip()
            if start:
                break
    if start.startswith(b"{"):
        remedy = "Name the type of the JSON: curl -H 'Content-Type: application/json' -d '{\"audio\": …}'"
    else:
        remedy = (
            f"Send a form (curl -F {FIELD}=@clip.wav), or name the type of the file: "
            "curl -H 'Content-Type: audio/wav' --data-binary @clip.wav"
        )
    return RequestInvalid(f"The content type is {content_type.name or 'missing'}.", remedy=remedy)


@asynccontextmanager
async def _spool_body(request: Request) -> AsyncIterator[BinaryIO]:
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
        with translate_disk_errors("the folder for temporary files"):
            await upload.write(b"".join(start))
            async for chunk in chunks:
                await upload.write(chunk)
            await upload.seek(0)
        yield upload.file
