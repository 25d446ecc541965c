"""Gives raw samples the wav header that they lack, so that they are decoded exactly as a wav file is."""

import io
import struct
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO, cast

from understudy.api.uploads.content_type import ContentType
from understudy.api.uploads.recording_fields import merge_fields, parse_body
from understudy.errors import AudioUnusable, BodyTooLarge, RequestInvalid
from understudy.schemas.inference.recording import RecordingFields, SampleFormat

_X_RAW, _BASIC = "audio/x-raw", "audio/basic"
# Media types that name the format of the samples: RFC 3551 and RFC 4856, RFC 2046 for audio/basic, and GStreamer's.
_FORMATS = {
    "audio/l16": SampleFormat.S16BE,
    "audio/pcmu": SampleFormat.MULAW,
    "audio/pcma": SampleFormat.ALAW,
    "audio/x-mulaw": SampleFormat.MULAW,
    "audio/x-alaw": SampleFormat.ALAW,
    _BASIC: SampleFormat.MULAW,
}
_EXAMPLE = "Content-Type: audio/x-raw; format=s16le; rate=16000; channels=1"
_REMEDY = f"Declare the samples that you send, for example: {_EXAMPLE}"
# The parameters of each media type that are understood.
_KNOWN = {_X_RAW: {"format", "rate", "channels", "layout"}, **{name: {"rate", "channels"} for name in _FORMATS}}
# audio/basic is mu-law at 8,000 Hz in one channel by its definition (RFC 2046 section 4.3).
_BASIC_RATE = 8_000
# Numbers of Microsoft's registry: PCM, IEEE float, A-law and mu-law.
_TAGS = {SampleFormat.F32LE: 3, SampleFormat.ALAW: 6, SampleFormat.MULAW: 7}
_PCM = 1
# The first bytes of files that are sent with the media type of raw samples.
_FILES = {b"RIFF": "wav", b"RIFX": "wav", b"RF64": "wav", b".snd": "au", b"dns.": "au", b"fLaC": "flac", b"OggS": "ogg"}
_HEADER_BYTES = 44
# A RIFF header has 32 bits for the size of the file after its first 8 bytes.
_MAX_BYTES = (1 << 32) - 1 - _HEADER_BYTES


@dataclass(frozen=True)
class RawSamples:
    """The declared layout of raw interleaved samples; `rate` is in Hz."""

    format: SampleFormat
    rate: int
    channels: int
    basic: bool = False
    """The media type was audio/basic, which au files are sent with too."""

    def add_header(self, file: BinaryIO) -> BinaryIO:
        """Return `file`, a seekable file of samples, behind a wav header.

        The first use of the returned file raises AudioUnusable where `file` holds less than one frame, and where it
        begins as another kind of file does. A finding names the bytes of a frame that is cut off. An au file that was
        sent as audio/basic is returned as it is.
        """
        return cast("BinaryIO", _HeadedFile(self, file))

    def make_header(self, size: int) -> bytes:
        """Return a RIFF header for `size` bytes of samples, or a RIFX header where they are big-endian.

        Raises AudioUnusable where they are less than one frame, and BodyTooLarge from 4 GiB on.
        """
        frame = self.format.sample_bytes * self.channels
        if size < frame:
            raise AudioUnusable(
                f"The recording has {size} bytes, which is less than one {self.format} frame of {self.channels} "
                f"channel(s) with {frame} bytes.",
                remedy="Send the samples of the recording, and declare the format and the channels that you send.",
            )
        if size > _MAX_BYTES:
            raise BodyTooLarge("Raw samples of 4 GiB or more are not accepted.", remedy="Send them as a flac file.")
        width = self.format.sample_bytes
        big = self.format is SampleFormat.S16BE
        return struct.pack(
            ">4sI4s4sIHHIIHH4sI" if big else "<4sI4s4sIHHIIHH4sI",
            b"RIFX" if big else b"RIFF",
            _HEADER_BYTES - 8 + size,
            b"WAVE",
            b"fmt ",
            16,
            _TAGS.get(self.format, _PCM),
            self.channels,
            self.rate,
            self.rate * width * self.channels,
            width * self.channels,
            8 * width,
            b"data",
            size,
        )


def find_samples(file: BinaryIO) -> BinaryIO:
    """Return the samples behind a header that `RawSamples.add_header` added; another file as it is."""
    return file.samples_file if isinstance(file, _HeadedFile) else file


def find_raw_samples(content_type: ContentType, fields: RecordingFields) -> RawSamples | None:
    """Return the layout of raw samples that the content type or the fields declare; None for a file of another kind.

    The types are `audio/x-raw` (the parameters of GStreamer's), `audio/L16` (RFC 3551 and RFC 4856: 16 bits,
    big-endian, one channel unless given), `audio/PCMU` and `audio/PCMA` (the same RFCs: G.711) and `audio/basic`.
    Raises RequestInvalid where format or rate is missing, where a parameter is unknown, and where content type and
    fields contradict each other.
    """
    declared = _read_parameters(content_type) if content_type.name in _KNOWN else RecordingFields()
    merged = merge_fields(fields, declared)
    if merged.format is None:
        given = [name for name in ("rate", "channels") if getattr(merged, name) is not None]
        if content_type.name in _KNOWN or given:
            raise RequestInvalid(
                f"{' and '.join(given) or 'Raw audio'} came without the format of the samples.", remedy=_REMEDY
            )
        return None
    if content_type.name not in {"", "application/octet-stream", *_KNOWN}:
        raise RequestInvalid(
            f"The format {merged.format} declares raw samples, and the content type is {content_type.name}.",
            remedy=f"Send a file without `format`, or raw samples with {_EXAMPLE}",
        )
    if merged.rate is None:
        raise RequestInvalid(f"The sample rate of the {merged.format} samples is missing.", remedy=_REMEDY)
    return RawSamples(merged.format, merged.rate, merged.channels or 1, basic=content_type.name == _BASIC)


def _read_parameters(content_type: ContentType) -> RecordingFields:
    given = dict(content_type.parameters)
    unknown = sorted(set(given) - _KNOWN[content_type.name])
    if unknown or given.pop("layout", "interleaved") != "interleaved":
        raise RequestInvalid(
            f"{content_type.name} with {', '.join(unknown) or 'another layout than interleaved'} is not supported.",
            remedy=_REMEDY,
        )
    if content_type.name in _FORMATS:
        given["format"] = _FORMATS[content_type.name]
    if content_type.name == _BASIC:
        given.setdefault("rate", str(_BASIC_RATE))
    return parse_body(RecordingFields, given)


class _HeadedFile(io.RawIOBase):
    """A wav header and a file of samples behind it, read as one seekable file."""

    def __init__(self, samples: RawSamples, file: BinaryIO) -> None:
        self._samples, self.samples_file = samples, file
        self._at = 0

    @cached_property
    def _header(self) -> bytes:
        self.samples_file.seek(0)
        kind = _FILES.get(self.samples_file.read(4))
        if self._samples.basic and kind == "au":
            return b""
        if kind is not None:
            raise AudioUnusable(
                f"The recording was declared as raw {self._samples.format} samples, and it is a whole {kind} file.",
                remedy=f"Send it as a file: Content-Type: audio/{kind}, without `format` and `rate`.",
            )
        return self._samples.make_header(self.samples_file.seek(0, io.SEEK_END))

    @cached_property
    def _size(self) -> int:
        return len(self._header) + self.samples_file.seek(0, io.SEEK_END)

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
        header = self._header
        left = max(0, self._size - self._at)
        count = left if count < 0 else min(count, left)
        data = header[self._at : self._at + count]
        if len(data) < count:
            self.samples_file.seek(self._at + len(data) - len(header))
            data += self.samples_file.read(count - len(data))
        self._at += len(data)
        return data
