"""Sounds and encoders that the audio tests share."""

import io
from collections.abc import Callable
from fractions import Fraction
from typing import cast

import av
import numpy as np
import pytest
import soundfile
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from understudy.audio.opening import AudioLimits, open_clip
from understudy.inference.runtime.blas_threads import pin_blas
from understudy.schemas.inference.prediction import AudioFacts

RATE = 44_100

Sound = NDArray[np.float32]
Decode = Callable[..., tuple[Sound, AudioFacts]]


@pytest.fixture(scope="session", autouse=True)
def _one_thread_for_blas() -> None:
    pin_blas()


@pytest.fixture(scope="session")
def tone() -> Sound:
    """Two seconds of a 440 Hz tone with a little noise, [n] at 44.1 kHz, peak below 0.5."""
    time = np.arange(2 * RATE) / RATE
    noise = np.random.default_rng(7).normal(0, 0.01, time.size)
    return (0.4 * np.sin(2 * np.pi * 440 * time) + noise).astype(np.float32)


@pytest.fixture(scope="session")
def sndfile() -> Callable[..., bytes]:
    """Encode [n] or [n, channels] with libsndfile."""

    def encode(sound: Sound, container: str, subtype: str, rate: int = RATE) -> bytes:
        out = io.BytesIO()
        soundfile.write(out, sound, rate, format=container, subtype=subtype)
        return out.getvalue()

    return encode


@pytest.fixture(scope="session")
def ffmpeg() -> Callable[..., bytes]:
    """Encode [n] with FFmpeg; `picture` adds a video track, `sound=None` leaves the sound out."""

    def encode(
        sound: Sound | None,
        container: str,
        codec: str,
        rate: int = RATE,
        *,
        picture: bool = False,
        options: dict[str, str] | None = None,
    ) -> bytes:
        out = io.BytesIO()
        with av.open(out, "w", format=container, container_options=options or {}) as file:
            if picture:
                video = file.add_stream("libx264" if container != "webm" else "libvpx", rate=10)
                video.width = video.height = 64
                video.pix_fmt = "yuv420p"
                video.time_base = Fraction(1, 10)
            if sound is not None:
                stream = cast("AudioStream", file.add_stream(codec, rate=rate, layout="mono"))
                frame = AudioFrame.from_ndarray(sound[None], format="fltp", layout="mono")
                frame.sample_rate = rate
                frame.pts = 0
                for packet in (*stream.encode(frame), *stream.encode(None)):
                    file.mux(packet)
            if picture:
                for index in range(20):
                    still = av.VideoFrame.from_ndarray(np.full((64, 64, 3), index, np.uint8), format="rgb24")
                    still.pts = index
                    for packet in video.encode(still):
                        file.mux(packet)
                for packet in video.encode(None):
                    file.mux(packet)
        return out.getvalue()

    return encode


@pytest.fixture(scope="session")
def decode() -> Decode:
    """Decode bytes to ([n] at `rate`, facts)."""

    def run(
        body: bytes, rate: int = 16_000, max_seconds: float = 7200.0, *, strict: bool = False
    ) -> tuple[Sound, AudioFacts]:
        with open_clip(io.BytesIO(body), AudioLimits(max_seconds), strict=strict) as clip:
            sound = np.concatenate(list(clip.iter_blocks(rate)))
            return sound, clip.collect_facts()

    return run
