"""The encoding of samples in a stream's messages."""

from enum import StrEnum


class Encoding(StrEnum):
    """Interleaved little-endian samples."""

    PCM16 = "pcm16"
    FLOAT32 = "float32"
