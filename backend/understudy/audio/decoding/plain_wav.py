"""Decode plain 16-bit wav without libsndfile.

libsndfile calls back into Python for every eight kilobytes of an upload, which is slow for short clips.
"""

import struct
from collections.abc import Iterator

import numpy as np

from understudy.audio.decoding.audio_limits import check_layout
from understudy.audio.decoding.reader import BLOCK_VALUES, Samples
from understudy.audio.decoding.source_file import Source
from understudy.errors import AudioUnusable
from understudy.schemas.inference.finding import Finding

_HEAD = 4096
_PCM, _EXTENSIBLE = 1, 0xFFFE
# The sub-format of WAVE_FORMAT_EXTENSIBLE that means PCM (KSDATAFORMAT_SUBTYPE_PCM).
_PCM_GUID = bytes.fromhex("0100000000001000800000aa00389b71")
_SCALE = np.float32(1 / 32768)


class PlainWavReader:
    """Reads 16-bit samples from a seekable file and scales them to [-1, 1)."""

    codec = "pcm_s16"

    def __init__(self, source: Source, begin: int, frames: int, rate: int, channels: int) -> None:
        """Read `frames` frames from byte `begin` on; `rate` is in Hz.

        Raises AudioUnusable when the sample rate or the channel count is out of range.
        """
        check_layout(rate, channels)
        self.findings: list[Finding] = []
        self._source = source
        self._begin = begin
        self._frames = frames
        self.rate = rate
        self.channels = channels
        self.seconds: float | None = frames / rate

    def iter_blocks(self) -> Iterator[Samples]:
        self._source.seek(self._begin)
        step = max(256, BLOCK_VALUES // self.channels)
        for done in range(0, self._frames, step):
            size = min(step, self._frames - done) * 2 * self.channels
            data = self._source.read(size)
            if len(data) < size:
                raise AudioUnusable(f"The wav file ends {size - len(data)} bytes before its samples do.")
            values = np.multiply(np.frombuffer(data, "<i2"), _SCALE, dtype=np.float32)
            yield values.reshape(-1, self.channels)

    def close(self) -> None:
        """Do nothing: the reader holds no resources, and the file object stays open."""


def open_plain_wav(source: Source) -> PlainWavReader | None:
    """Return a reader for a RIFF file of 16-bit PCM of known length; None for every other file.

    `source` has passed `validate_container`. Source of the layout: Microsoft and IBM, Multimedia Programming Interface
    and Data Specifications 1.0, and Microsoft's WAVEFORMATEXTENSIBLE. Raises AudioUnusable when the sample rate or the
    channel count is out of range.
    """
    source.seek(0)
    head = source.read(_HEAD)
    if (head[:4], head[8:12]) != (b"RIFF", b"WAVE"):
        return None
    layout: tuple[int, int] | None = None
    offset = 12
    while offset + 8 <= len(head):
        name, length = head[offset : offset + 4], int.from_bytes(head[offset + 4 : offset + 8], "little")
        begin = offset + 8
        if name == b"fmt ":
            layout = _parse_layout(head[begin : begin + length])
        elif name == b"data":
            if layout is None:
                return None
            channels, rate = layout
            size = source.seek(0, 2) - begin
            if not 0 < length <= size:  # the length was unknown when the header was written
                return None
            return PlainWavReader(source, begin, length // (2 * channels), rate, channels)
        offset = begin + length + length % 2
    return None


def _parse_layout(chunk: bytes) -> tuple[int, int] | None:
    """Return channels and sample rate in Hz of a `fmt ` chunk of 16-bit PCM; None for every other encoding."""
    if len(chunk) < 16:
        return None
    tag, channels, rate, _, frame_bytes, bits = struct.unpack_from("<HHIIHH", chunk)
    pcm = tag == _PCM or (tag == _EXTENSIBLE and chunk[24:40] == _PCM_GUID)
    return (channels, rate) if pcm and bits == 16 and channels and frame_bytes == 2 * channels else None
