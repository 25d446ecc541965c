"""The limit on a recording's length is exact: at it a recording is read, one sample past it refused."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from understudy.audio.opening import AudioLimits, open_clip
from understudy.errors import AudioTooLong

Encode = Callable[..., bytes]

ENCODINGS = {
    "plain wav": ("sndfile", "WAV", "PCM_16", 44_100),
    "float wav": ("sndfile", "WAV", "FLOAT", 44_100),
    "flac": ("sndfile", "FLAC", "PCM_16", 44_100),
    "vorbis": ("sndfile", "OGG", "VORBIS", 44_100),
    "opus": ("sndfile", "OGG", "OPUS", 48_000),
    "mp3": ("sndfile", "MP3", "MPEG_LAYER_III", 44_100),
    "m4a": ("ffmpeg", "ipod", "aac", 44_100),
    "webm": ("ffmpeg", "webm", "libopus", 48_000),
    "raw aac": ("ffmpeg", "adts", "aac", 44_100),
}


@pytest.fixture(params=ENCODINGS)
def body(request: pytest.FixtureRequest, tone: Any, sndfile: Encode, ffmpeg: Encode) -> bytes:
    encoder, *arguments = ENCODINGS[request.param]
    return (sndfile if encoder == "sndfile" else ffmpeg)(tone, *arguments)


def read(body: bytes, max_seconds: float) -> int:
    """Samples of the recording at its own rate."""
    with open_clip(io.BytesIO(body), AudioLimits(max_seconds)) as clip:
        return sum(map(len, clip.iter_blocks(16_000)))


def test_a_recording_as_long_as_the_limit_is_read_and_one_sample_more_refused(body: bytes, decode: Any) -> None:
    _, facts = decode(body)
    assert read(body, facts.duration_seconds) > 0
    with pytest.raises(AudioTooLong, match=f"longer than {facts.duration_seconds - 1 / facts.sample_rate:g} s"):
        read(body, facts.duration_seconds - 1 / facts.sample_rate)


@pytest.mark.parametrize("frames", [44_099, 44_100, 44_101])
@pytest.mark.parametrize(("container", "subtype"), [("WAV", "PCM_16"), ("WAV", "PCM_24"), ("FLAC", "PCM_16")])
def test_a_header_past_the_limit_is_refused_before_anything_is_decoded(
    sndfile: Encode, container: str, subtype: str, frames: int
) -> None:
    body = io.BytesIO(sndfile(np.full(frames, 0.25, np.float32), container, subtype))
    if frames <= 44_100:
        open_clip(body, AudioLimits(1.0)).close()
    else:
        with pytest.raises(AudioTooLong, match="longer than 1 s"):
            open_clip(body, AudioLimits(1.0))


@pytest.mark.parametrize(("frames", "refused"), [(44_100, False), (44_101, True)])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_a_length_that_the_header_leaves_open_is_counted(
    sndfile: Encode, subtype: str, frames: int, refused: bool
) -> None:
    body = bytearray(sndfile(np.full(frames, 0.25, np.float32), "WAV", subtype))
    length = body.index(b"data") + 4
    body[4:8] = body[length : length + 4] = b"\xff\xff\xff\xff"
    if refused:
        with pytest.raises(AudioTooLong):
            read(bytes(body), 1.0)
    else:
        assert read(bytes(body), 1.0) == 16_000
