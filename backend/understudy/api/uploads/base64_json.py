"""Receives a recording as base64 text in a JSON document."""

import asyncio
import base64
import binascii
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from starlette.requests import Request

from understudy.api.uploads.body_limit import limit_body, refuse_declared_length
from understudy.api.uploads.content_type import ContentType
from understudy.api.uploads.raw_samples import find_raw_samples
from understudy.api.uploads.recording_fields import merge_fields, parse_body
from understudy.errors import RequestInvalid
from understudy.schemas.inference.recording import AudioDocument, RecordingFields

# The document, its text and the decoded recording are in memory at once, so it is smaller than a file may be.
MAX_DOCUMENT_BYTES = 64 << 20
# Bytes from which a thread does the work, so that the event loop goes on.
_SMALL = 1 << 16
_URL_SAFE = str.maketrans("-_", "+/", " \t\r\n")
_REMEDY = 'Send {"audio": "<base64>"}: the alphabet of RFC 4648, with padding; or send the file itself.'


@dataclass(frozen=True)
class DecodedRecording:
    source: BinaryIO
    fields: RecordingFields


async def receive_document(request: Request, limit: int, fields: RecordingFields) -> DecodedRecording:
    """Receive a JSON document with a recording, and what it and the query say about the recording.

    Raises BodyTooLarge past `limit` or MAX_DOCUMENT_BYTES, and RequestValidationError or RequestInvalid for a document
    that is not an AudioDocument.
    """
    remedy = f"Send the file itself: curl -F audio_file=@clip.wav. JSON may have {MAX_DOCUMENT_BYTES} bytes."
    if limit < MAX_DOCUMENT_BYTES:
        remedy = "Send less, or raise UNDERSTUDY_MAX_UPLOAD_BYTES."
    body = await receive_json(request, min(limit, MAX_DOCUMENT_BYTES), remedy)
    if len(body) <= _SMALL:
        return _decode(body, fields)
    return await asyncio.to_thread(_decode, body, fields)


async def receive_json(request: Request, limit: int, remedy: str) -> bytes:
    """Receive a body of at most `limit` bytes into memory. Raises BodyTooLarge with `remedy`."""
    refuse_declared_length(request, limit, remedy)
    return await Request(request.scope, limit_body(request.receive, limit, remedy)).body()


def _decode(body: bytes, query: RecordingFields) -> DecodedRecording:
    document = parse_body(AudioDocument, body)
    fields = merge_fields(query, document)
    content_type, text = _split_data_url(document.audio)
    source = BytesIO(decode_base64(text, "body.audio"))
    raw = find_raw_samples(content_type, fields)
    return DecodedRecording(source if raw is None else raw.add_header(source), fields)


def decode_base64(text: str, name: str) -> bytes:
    """Return the bytes of base64 text in either alphabet. Raises RequestInvalid, which calls the text `name`."""
    try:
        return base64.b64decode(text.translate(_URL_SAFE), validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestInvalid(f"{name} is not base64: {error}.", remedy=_REMEDY) from error


def _split_data_url(audio: str) -> tuple[ContentType, str]:
    """Return the media type and the base64 text of a data: URL (RFC 2397), or no type and the text itself."""
    if audio[:5].lower() != "data:":
        return ContentType(""), audio
    head, comma, text = audio[5:].partition(",")
    kind, _, encoding = head.rpartition(";")
    if not comma or encoding.strip().lower() != "base64":
        raise RequestInvalid("body.audio is a data: URL without ;base64, before its data.", remedy=_REMEDY)
    return ContentType.parse(kind), text
