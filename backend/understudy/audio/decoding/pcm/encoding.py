"""Convert stored samples of every width to float32."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from understudy.audio.decoding.reader import Samples


class PcmEncoding(StrEnum):
    """Encodings of uncompressed samples, and the G.711 companding laws."""

    U8 = "pcm_u8"
    S8 = "pcm_s8"
    S16 = "pcm_s16"
    S24 = "pcm_s24"
    S32 = "pcm_s32"
    S64 = "pcm_s64"
    F32 = "pcm_f32"
    F64 = "pcm_f64"
    MULAW = "pcm_mulaw"
    ALAW = "pcm_alaw"


_WIDTHS = {PcmEncoding.S16: 2, PcmEncoding.S24: 3, PcmEncoding.S32: 4, PcmEncoding.F32: 4}
_WIDTHS |= {PcmEncoding.S64: 8, PcmEncoding.F64: 8}
_TYPES = {PcmEncoding.S8: "i1", PcmEncoding.S16: "i2", PcmEncoding.S32: "i4", PcmEncoding.S64: "i8"}
_TYPES |= {PcmEncoding.F32: "f4", PcmEncoding.F64: "f8"}
SIGNED = {1: PcmEncoding.S8, 2: PcmEncoding.S16, 3: PcmEncoding.S24, 4: PcmEncoding.S32, 8: PcmEncoding.S64}
FLOATS = {4: PcmEncoding.F32, 8: PcmEncoding.F64}


@dataclass(frozen=True)
class PcmLayout:
    """The layout of interleaved samples; `rate` is in Hz."""

    encoding: PcmEncoding
    big_endian: bool
    rate: int
    channels: int

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of each channel."""
        return _WIDTHS.get(self.encoding, 1) * self.channels

    def to_seconds(self, count: int) -> float:
        """Return the length of `count` bytes in seconds."""
        return count / (self.frame_bytes * self.rate)


def decode(data: bytes, layout: PcmLayout) -> Samples:
    """Return whole frames as float32 [frames, channels] with a full scale of 1.0; float samples keep their value."""
    match layout.encoding:
        case PcmEncoding.U8:
            values = (np.frombuffer(data, np.uint8).astype(np.float32) - np.float32(128)) * np.float32(1 / 128)
        case PcmEncoding.MULAW | PcmEncoding.ALAW:
            values = _make_table(layout.encoding)[np.frombuffer(data, np.uint8)]
        case PcmEncoding.S24:
            values = _widen(data, big_endian=layout.big_endian) * np.float32(2.0**-31)
        case PcmEncoding.F32 | PcmEncoding.F64:
            with np.errstate(over="ignore", invalid="ignore"):  # what is too large or not a number is replaced later
                values = _read(data, layout).astype(np.float32)
        case _:
            stored = _read(data, layout)
            values = np.multiply(stored, np.float32(2.0 ** (1 - 8 * stored.dtype.itemsize)), dtype=np.float32)
    return np.asarray(values, np.float32).reshape(-1, layout.channels)


def _read(data: bytes, layout: PcmLayout) -> NDArray[np.generic]:
    return np.frombuffer(data, (">" if layout.big_endian else "<") + _TYPES[layout.encoding])


def _widen(data: bytes, *, big_endian: bool) -> NDArray[np.float32]:
    """Return 24-bit samples as the upper bytes of 32-bit integers, as float32."""
    wide = np.zeros((len(data) // 3, 4), np.uint8)
    stored = np.frombuffer(data, np.uint8).reshape(-1, 3)
    wide[:, 1:] = stored[:, ::-1] if big_endian else stored
    return wide.view("<i4")[:, 0].astype(np.float32)


@cache
def _make_table(encoding: PcmEncoding) -> NDArray[np.float32]:
    """Return the values float32 [256] of the codes (ITU-T G.711)."""
    codes = np.arange(256)
    if encoding is PcmEncoding.MULAW:
        codes = ~codes & 0xFF
        values = ((((codes & 15) << 3) + 0x84) << (codes >> 4 & 7)) - 0x84
        values = np.where(codes & 0x80, -values, values)
    else:
        codes ^= 0x55
        exponent = codes >> 4 & 7
        values = ((codes & 15) << 4) + 8
        values = np.where(exponent, (values + 0x100) << np.maximum(exponent - 1, 0), values)
        values = np.where(codes & 0x80, values, -values)
    return (values / 32768).astype(np.float32)
