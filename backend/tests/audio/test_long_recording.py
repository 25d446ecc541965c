"""Long recordings are read in bounded memory."""

import io
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import psutil
import pytest

from understudy.audio.features.patches import PatchStream
from understudy.audio.opening import AudioLimits, open_clip

RATE = 8_000
HOUR = 3600


class HourOfWav:
    """An hour of 16-bit mono that exists only where it is read."""

    def __init__(self) -> None:
        size = 2 * RATE * HOUR
        fields = (b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16, b"data", size)
        self._header = struct.pack("<4sI4s4sIHHIIHH4sI", *fields)
        self._second = np.random.default_rng(0).integers(-3000, 3000, RATE, dtype=np.int16).tobytes()
        self._size = len(self._header) + size
        self._at = 0

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def read(self, count: int = -1) -> bytes:
        start, stop = self._at, min(self._at + count, self._size)
        body = b""
        if start < len(self._header):
            body = self._header[start:stop]
            start += len(body)
        offset = (start - len(self._header)) % len(self._second)
        needed = stop - start
        body += (self._second * (needed // len(self._second) + 2))[offset : offset + needed]
        self._at += len(body)
        return body


def test_an_hour_is_cut_into_patches_in_a_few_megabytes() -> None:
    process = psutil.Process()
    stream, patches, blocks, grown = PatchStream(), 0, 0, 0
    with open_clip(HourOfWav(), AudioLimits(2 * HOUR)) as clip:
        before = process.memory_info().rss
        for block in clip.iter_blocks(16_000):
            patches += len(stream.push(block))
            blocks += 1
            if blocks % 20 == 0:
                grown = max(grown, process.memory_info().rss - before)
        patches += len(stream.finish())
        assert clip.collect_facts().duration_seconds == HOUR
    assert grown < 30 << 20  # the hour is 230 MB as float32
    assert patches == 1 + -(-(HOUR * 16_000 - 15_600) // 7_680)


def test_minutes_of_opus_are_decoded_in_a_few_megabytes(ffmpeg: Callable[..., bytes], tone: Any) -> None:
    body = ffmpeg(np.tile(tone, 30), "ogg", "libopus", 48_000)
    largest = 0
    with open_clip(io.BytesIO(body), AudioLimits(HOUR)) as clip:
        for block in clip.iter_blocks(16_000):
            largest = max(largest, len(block))
        assert clip.collect_facts().duration_seconds == pytest.approx(60 * 44_100 / 48_000, abs=0.1)
    assert largest <= 1 << 16
