"""Fields by which a client describes a recording that it sends, and a recording within a JSON document."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

MAX_SOURCE_LENGTH = 100


class SampleFormat(StrEnum):
    """Raw interleaved samples: 32-bit floats, 16-bit integers in either byte order, or the 8-bit codes of G.711."""

    F32LE = "f32le"
    S16LE = "s16le"
    S16BE = "s16be"
    MULAW = "mulaw"
    ALAW = "alaw"

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample of one channel."""
        match self:
            case SampleFormat.F32LE:
                return 4
            case SampleFormat.S16LE | SampleFormat.S16BE:
                return 2
        return 1


def _lower(value: object) -> object:
    """GStreamer writes the same names in capitals."""
    return value.lower() if isinstance(value, str) else value


def _check_source(value: str) -> str:
    if not value.isprintable() or value != value.strip():
        raise ValueError("use printable characters, without a space at the start or the end")
    return value


def _parse_time(value: object) -> object:
    """Parse ISO 8601 text. Pydantic alone would read a bare number as seconds since 1970."""
    if not isinstance(value, str):
        return value
    example = "give a time with its zone, such as 2026-05-01T14:03:00+02:00 (in an address write + as %2B)"
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(example) from None
    if time.utcoffset() is None:
        raise ValueError(f"the time zone is missing: {example}")
    return time


Source = Annotated[str, Field(min_length=1, max_length=MAX_SOURCE_LENGTH), AfterValidator(_check_source)]
RecordedAt = Annotated[datetime, BeforeValidator(_parse_time)]
RawFormat = Annotated[SampleFormat, BeforeValidator(_lower)]
Rate = Annotated[int, Field(ge=1_000, le=768_000)]
Channels = Annotated[int, Field(ge=1, le=128)]


class RecordingFields(BaseModel):
    """Fields that describe a recording. All are optional."""

    model_config = ConfigDict(frozen=True)

    source: Source | None = Field(
        default=None, description="Name of the sensor or client that made the recording; comes back with the answer"
    )
    recorded_at: RecordedAt | None = Field(
        default=None,
        description="ISO 8601 time with a zone at which the recording was made; comes back with the answer",
    )
    format: RawFormat | None = Field(
        default=None, description="Declares that the bytes are raw interleaved samples of this format; needs `rate`"
    )
    rate: Rate | None = Field(default=None, description="Sample rate of raw samples in Hz")
    channels: Channels | None = Field(default=None, description="Channels of raw samples; 1 unless given")
    strict: bool | None = Field(
        default=None,
        description="Refuse a recording that is damaged, incomplete or not scored as a whole, instead of answering "
        "what can be decoded with `findings`; as the server's setting says unless given",
    )


class AudioDocument(RecordingFields):
    """JSON body of a prediction."""

    model_config = ConfigDict(extra="forbid")

    audio: str = Field(
        min_length=1,
        description="The recording as base64 text, or as a data: URL with base64",
        json_schema_extra={"contentEncoding": "base64"},
    )
