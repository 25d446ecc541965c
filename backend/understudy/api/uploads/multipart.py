"""Receives the recordings of a multipart body in one temporary file, however many there are."""

import io
import threading
import weakref
from dataclasses import dataclass, field, replace
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser
from starlette.datastructures import UploadFile
from starlette.requests import Request

from understudy.api.uploads.body_limit import SPOOL_BYTES, limit_body
from understudy.api.uploads.content_type import ContentType, Disposition
from understudy.api.uploads.json_route import MAX_JSON_BYTES
from understudy.api.uploads.raw_samples import find_raw_samples
from understudy.api.uploads.recording_fields import NAMES, merge_fields, parse_body
from understudy.errors import RequestInvalid
from understudy.files.disk_errors import translate_disk_errors
from understudy.schemas.inference.recording import RecordingFields
from understudy.serving.prediction.batch_predictor import NamedClip

# The documented name of the part. A file is taken whatever the name of its part is.
FIELD = "audio_file"
MAX_CLIPS = 10_000
_MAX_FIELD_BYTES = 1_000
_REMEDY = f"Send each recording as a file, for example: curl -F {FIELD}=@clip.wav …/api/v1/predict"


@dataclass(frozen=True)
class Form:
    """The files of a form in the order they came, and what its fields and the query say about all of them.

    `texts` are the fields that the caller asked for besides. A file whose samples are declared as raw has a wav header
    before them.
    """

    files: list[NamedClip]
    fields: RecordingFields
    texts: dict[str, str] = field(default_factory=dict)


async def receive_form(
    request: Request,
    limit: int,
    fields: RecordingFields,
    max_files: int = MAX_CLIPS,
    text_fields: tuple[str, ...] = (),
) -> Form:
    """Receive a form of 1 to `max_files` files; the temporary file is closed after the last of them is gone.

    The fields named in `text_fields` are returned as text.

    A part is a file when it has a file name, when its content type is one of audio, or when it has the documented
    name. Raises BodyTooLarge, RequestInvalid for a body that is not such a form or declares raw samples without their
    rate, and StorageUnavailable where a long body cannot be spooled.
    """
    content_type = ContentType.parse(request.headers.get("content-type"))
    boundary = content_type.parameters.get("boundary")
    if content_type.name != "multipart/form-data" or not boundary:
        raise RequestInvalid("The body is not multipart/form-data.", remedy=_REMEDY)
    spool = _Spool()
    upload = UploadFile(spool.file)  # writes in a thread once the spool is on disk
    parts = _Parts(max_files, text_fields)
    try:
        parser = parts.build_parser(boundary.encode("latin-1"))
        with translate_disk_errors("the folder for temporary files"):
            async for chunk in Request(request.scope, limit_body(request.receive, limit)).stream():
                parser.write(chunk)
                await upload.write(parts.take_new_bytes())
    except FormParserError as error:
        raise RequestInvalid(f"The form cannot be read: {error}.", remedy=_REMEDY) from error
    found = parts.list_files()
    texts = {name: parts.fields.pop(name) for name in text_fields if name in parts.fields}
    fields = merge_fields(fields, parse_body(RecordingFields, parts.fields))
    return Form([_open_part(part, spool, fields) for part in found], fields, texts)


@dataclass(frozen=True)
class _Part:
    """A file's place in the temporary file: the bytes from `start` to `end`."""

    field: str
    filename: str | None
    content_type: ContentType
    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.field or 'without a field name'} ({self.filename or 'without a file name'})"


def _open_part(part: _Part, spool: "_Spool", fields: RecordingFields) -> NamedClip:
    section = cast("BinaryIO", _Section(spool, part.start, part.end))
    raw = find_raw_samples(part.content_type, fields)
    return NamedClip(part.filename or "", section if raw is None else raw.add_header(section))


class _Spool:
    """The temporary file. It closes when its last section is gone: a thread may read on after a disconnect."""

    def __init__(self) -> None:
        self.file = cast("BinaryIO", SpooledTemporaryFile(SPOOL_BYTES))  # noqa: SIM115  # outlives this call
        self.lock = threading.Lock()
        weakref.finalize(self, self.file.close)


class _Section(io.RawIOBase):
    """One recording's bytes as a file of its own; sections of one spool may be read by several threads."""

    def __init__(self, spool: _Spool, start: int, end: int) -> None:
        self._spool, self._start, self._size = spool, start, end - start
        self._at = 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        at = offset + (0, self._at, self._size)[whence]
        if at < 0:
            raise ValueError(f"negative position {at}")
        self._at = at
        return at

    def read(self, count: int = -1) -> bytes:
        left = max(0, self._size - self._at)
        count = left if count < 0 else min(count, left)
        with self._spool.lock:
            self._spool.file.seek(self._start + self._at)
            data = self._spool.file.read(count)
        self._at += len(data)
        return data


class _Parts:
    """Parses a form piece by piece; finds the bytes that are recordings and the fields that describe them."""

    def __init__(self, max_files: int, text_fields: tuple[str, ...]) -> None:
        self.fields: dict[str, str] = {}
        self._max_files = max_files
        self._text_fields = text_fields
        self._files: list[_Part] = []
        self._other_names: list[str] = []
        self._new_bytes: list[bytes] = []
        self._at = self._start = 0
        self._header = self._value = b""
        self._headers: dict[bytes, bytes] = {}
        self._part: _Part | None = None
        self._field: str | None = None
        self._field_value = b""
        self._ended = False

    def build_parser(self, boundary: bytes) -> MultipartParser:
        return MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._on_field,
                "on_header_value": self._on_value,
                "on_header_end": self._on_header,
                "on_headers_finished": self._on_headers,
                "on_part_data": self._on_data,
                "on_part_end": self._on_end,
                "on_end": self._on_form_end,
            },
        )

    def take_new_bytes(self) -> bytes:
        """Return the bytes of recordings since the last call."""
        new_bytes, self._new_bytes = b"".join(self._new_bytes), []
        return new_bytes

    def list_files(self) -> list[_Part]:
        """Return the files. Raises RequestInvalid when the form breaks off or holds no file."""
        if not self._ended:
            raise RequestInvalid("The form is cut off before its end.")
        if not self._files:
            others = ", ".join(self._other_names)
            raise RequestInvalid(
                f"The form has no file; its fields are {others}." if others else "The form has no file.",
                remedy=_REMEDY,
            )
        return self._files

    def _begin(self) -> None:
        self._headers = {}
        self._header = self._value = self._field_value = b""
        self._part = self._field = None

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        self._headers[self._header.lower()] = self._value
        self._header = self._value = b""

    def _on_headers(self) -> None:
        disposition = Disposition.parse(self._headers.get(b"content-disposition", b""))
        content_type = ContentType.parse(self._headers.get(b"content-type"))
        if disposition.filename is not None or content_type.is_audio or disposition.name == FIELD:
            self._part = _Part(disposition.name, disposition.filename, content_type, self._at, self._at)
        elif disposition.name in self.fields:
            raise RequestInvalid(f"The form has the field {disposition.name} twice.")
        elif disposition.name in NAMES or disposition.name in self._text_fields:
            self._field = disposition.name
        elif len(self._other_names) < 8:
            self._other_names.append(disposition.name[:50])

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._part is not None:
            self._new_bytes.append(data[start:end])
            self._at += end - start
        elif self._field is not None:
            self._field_value += data[start:end]
            most = MAX_JSON_BYTES if self._field in self._text_fields else _MAX_FIELD_BYTES
            if len(self._field_value) > most:
                raise RequestInvalid(f"The field {self._field} has more than {most} bytes.")

    def _on_end(self) -> None:
        if self._field is not None:
            self.fields[self._field] = self._field_value.decode("utf-8", "replace")
        if self._part is not None:
            self._add_file(replace(self._part, end=self._at))

    def _add_file(self, part: _Part) -> None:
        if part.filename == "" and part.start == part.end:
            return  # a browser sends this for an input in which no file was chosen
        self._files.append(part)
        if len(self._files) <= self._max_files:
            return
        if self._max_files > 1:
            raise RequestInvalid(
                f"The form holds more than {self._max_files} recordings.", remedy="Send several requests."
            )
        raise RequestInvalid(
            f"The form holds two files: {self._files[0]} and {part}.",
            remedy="Send one recording, or send all of them to /api/v1/predict/batch.",
        )

    def _on_form_end(self) -> None:
        self._ended = True
