"""Sounds and encoders that the audio tests share."""

import io
from collections.abc import Callable

import numpy as np
import pytest

from scripts.recordings.encoders import RATE, Sound, encode_with_ffmpeg, encode_with_sndfile
from understudy.audio.opening import AudioLimits, open_clip
from understudy.inference.runtime.blas_threads import pin_blas
from understudy.schemas.inference.prediction import AudioFacts

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
    return encode_with_sndfile


@pytest.fixture(scope="session")
def ffmpeg() -> Callable[..., bytes]:
    """Encode [n] with FFmpeg; `picture` adds a video track, `sound=None` leaves the sound out."""
    return encode_with_ffmpeg


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
