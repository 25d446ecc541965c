"""Receives the recordings of a multipart body in one temporary file, however many there are."""

import io
import threading
import weakref
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.datastructures import UploadFile
from starlette.requests import Request

from understudy.api.uploads.audio_upload import FIELD, SPOOL_BYTES, limit_body
from understudy.disk_errors import translate_disk_errors
from understudy.errors import RequestInvalid
from understudy.serving.prediction.batch_predictor import NamedClip

MAX_CLIPS = 10_000
_REMEDY = f"Send the recordings as {FIELD}, for example: curl -F {FIELD}=@a.wav -F {FIELD}=@b.wav"


async def receive_recordings(request: Request, limit: int) -> list[NamedClip]:
    """Return the request's recordings in the order they came; the file is closed after the last of them is gone.

    Raises BodyTooLarge, RequestInvalid for a body that is not a form with 1 to MAX_CLIPS recordings, and
    StorageUnavailable where a long one cannot be spooled.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise RequestInvalid("The body is not multipart/form-data.", remedy=_REMEDY)
    spool = _Spool()
    upload = UploadFile(spool.file)  # writes in a thread once the spool is on disk
    parts = _Parts()
    try:
        parser = parts.build_parser(options[b"boundary"])
        with translate_disk_errors("the folder for temporary files"):
            async for chunk in Request(request.scope, limit_body(request.receive, limit)).stream():
                parser.write(chunk)
                await upload.write(parts.take_new_bytes())
    except FormParserError as error:
        raise RequestInvalid(f"The form cannot be read: {error}.", remedy=_REMEDY) from error
    return [
        NamedClip(name, cast("BinaryIO", _Section(spool, start, end))) for name, start, end in parts.list_recordings()
    ]


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
    """Parses a form piece by piece and finds the bytes that are recordings."""

    def __init__(self) -> None:
        self._recordings: list[tuple[str, int, int]] = []
        self._new_bytes: list[bytes] = []
        self._at = self._start = 0
        self._field = self._value = self._disposition = b""
        self._name: str | None = None
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

    def list_recordings(self) -> list[tuple[str, int, int]]:
        """Return name, start and end of each recording, in bytes from the start of the file.

        Raises RequestInvalid when the form breaks off or holds no recording.
        """
        if not self._ended:
            raise RequestInvalid("The form is cut off before its end.")
        if not self._recordings:
            raise RequestInvalid(f"The form has no file field named {FIELD}.", remedy=_REMEDY)
        return self._recordings

    def _begin(self) -> None:
        self._field = self._value = self._disposition = b""
        self._name = None

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        if self._field.lower() == b"content-disposition":
            self._disposition = self._value
        self._field = self._value = b""

    def _on_headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        if options.get(b"name") != FIELD.encode():
            return
        if len(self._recordings) == MAX_CLIPS:
            raise RequestInvalid(f"The form holds more than {MAX_CLIPS} recordings.", remedy="Send several requests.")
        self._name = options.get(b"filename", b"").decode("utf-8", "replace")
        self._start = self._at

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._name is not None:
            self._new_bytes.append(data[start:end])
            self._at += end - start

    def _on_end(self) -> None:
        if self._name is not None:
            self._recordings.append((self._name, self._start, self._at))

    def _on_form_end(self) -> None:
        self._ended = True
