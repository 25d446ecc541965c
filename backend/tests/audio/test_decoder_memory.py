"""A decoder's memory is given back with the recording, whatever became of it, and without a garbage collection."""

import gc
import io
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

from scripts.recordings.damage import CONTAINERS
from scripts.recordings.memory import MemoryMeter, count_allocated_bytes
from scripts.recordings.reading import Decoded, read_recording
from understudy.audio.opening import AudioLimits, open_clip
from understudy.errors import UnderstudyError

Encode = Callable[..., bytes]
ROUNDS = 15
MOST_BYTES_KEPT = 2000
"""For each recording, by caches that fill; the contexts and buffers of a decoder are larger."""

DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "whole": lambda body: body,
    "cut off": lambda body: body[: len(body) // 2],
    "cut off in its header": lambda body: body[:60],
    "damaged header": lambda body: body[:24] + b"\xff" * 40 + body[64:],
    "damaged in the middle": lambda body: body[: len(body) // 2] + bytes(400) + body[len(body) // 2 + 400 :],
}
FORMATS = {name: CONTAINERS[name] for name in ("wav", "flac", "ogg", "opus", "mp3", "aac", "m4a", "webm", "mpegts")} | {
    "ADPCM in wav": ("sndfile", "WAV", "MS_ADPCM"),
    "wma": ("ffmpeg", "asf", "wmav2"),
}


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def _measure_kept(read: Callable[[], object]) -> int:
    """Return the bytes that each call keeps."""
    for _ in range(5):
        read()
    before = count_allocated_bytes() or 0
    for _ in range(ROUNDS):
        read()
    return ((count_allocated_bytes() or 0) - before) // ROUNDS


@pytest.mark.usefixtures("no_garbage_collection")
@pytest.mark.parametrize("name", FORMATS)
def test_no_decoder_keeps_memory_of_a_recording(tone: Any, sndfile: Encode, ffmpeg: Encode, name: str) -> None:
    if count_allocated_bytes() is None:
        pytest.skip("the C library does not count what it has given out")
    encoder, container, codec = FORMATS[name]
    body = (sndfile if encoder == "sndfile" else ffmpeg)(tone[:4800], container, codec, 48_000)
    kept = {damage: _measure_kept(partial(read_recording, spoil(body))) for damage, spoil in DAMAGE.items()}
    kept["not read"] = _measure_kept(lambda: open_clip(io.BytesIO(body), AudioLimits(60.0)).close())
    assert {damage: count for damage, count in kept.items() if count > MOST_BYTES_KEPT} == {}


@pytest.mark.usefixtures("no_garbage_collection")
def test_the_error_of_a_refusal_does_not_keep_the_decoder(tone: Any, ffmpeg: Encode) -> None:
    """Each of 400 refused files of 126 KB once added 23 MB to a worker, until the garbage was collected."""
    body = bytearray(ffmpeg(tone[:9000], "adts", "aac"))
    frames = [at for at in range(len(body) - 1) if body[at] == 0xFF and body[at + 1] & 0xF6 == 0xF0]
    for at in frames:
        body[at + 7 : at + 40] = bytes(33)
    errors = [read_recording(bytes(body)) for _ in range(3)]
    before = count_allocated_bytes()
    if before is None:
        pytest.skip("the C library does not count what it has given out")
    errors += [read_recording(bytes(body)) for _ in range(10)]
    assert all(isinstance(error, UnderstudyError) for error in errors)
    assert (count_allocated_bytes() or 0) - before < 500_000


def test_what_is_freed_does_not_count_as_kept() -> None:
    meter = MemoryMeter()
    large = np.ones(4 << 20)  # 32 MiB
    assert meter.measure_need() >= large.nbytes
    del large
    assert meter.measure_growth() < 8 << 20
    assert meter.measure_need() < 8 << 20


def test_infinite_samples_that_cancel_are_silence_without_a_warning(tone: Any, sndfile: Encode) -> None:
    sides = np.stack([tone, tone], axis=1)
    sides[50_000] = np.inf, -np.inf
    decoded = read_recording(sndfile(sides, "WAV", "FLOAT"))
    assert isinstance(decoded, Decoded)
    assert (decoded.codes, decoded.finite) == (("gap",), True)
