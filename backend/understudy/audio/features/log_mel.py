"""YAMNet's front end: log-mel frames of 16 kHz sound.

Frames of 400 samples every 160, periodic Hann window, magnitude of a 512-point DFT, 64 triangular bands from 125 to
7500 Hz on the HTK mel scale, log(x + 0.001). The first frame starts with the first sample.
Source: M. Plakal and D. Ellis, YAMNet (TensorFlow models/research/audioset/yamnet, features.py).
"""

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from understudy.audio.decoding.reader import Samples
from understudy.yamnet.constants import (
    FFT_SIZE,
    FRAME_HOP_SAMPLES,
    FRAME_SAMPLES,
    LOG_OFFSET,
    MEL_BANDS,
    MEL_HIGH_HZ,
    MEL_LOW_HZ,
    SAMPLE_RATE,
)

_OFFSET = np.float32(LOG_OFFSET)
# Frames a step, somewhat more than a block of sound gives: between any two operations of a step another thread may
# take the interpreter's lock, and with steps of 32 a server answers 5 % fewer clips.
_CHUNK = 160


def build_hann_window() -> NDArray[np.float64]:
    """Periodic Hann window [400]."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME_SAMPLES) / FRAME_SAMPLES)


def build_mel_matrix() -> NDArray[np.float64]:
    """Weights [257, 64] from DFT bins to mel bands: triangles of height 1 on 1127 ln(1 + f / 700); none on bin 0."""
    bins = _to_mel(np.arange(FFT_SIZE // 2 + 1) * SAMPLE_RATE / FFT_SIZE)[:, None]
    edges = np.linspace(_to_mel(np.float64(MEL_LOW_HZ)), _to_mel(np.float64(MEL_HIGH_HZ)), MEL_BANDS + 2)
    low, center, high = edges[:-2], edges[1:-1], edges[2:]
    weights = np.maximum(0.0, np.minimum((bins - low) / (center - low), (high - bins) / (high - center)))
    weights[0] = 0.0
    return weights


@cache
def _build_tables() -> tuple[NDArray[np.float64], Samples]:
    """The window and the mel weights in float32: making them costs a fifth of a second of sound's features."""
    return build_hann_window(), build_mel_matrix().astype(np.float32)


def _to_mel(hertz: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    return np.asarray(1127.0 * np.log1p(hertz / 700.0))


class LogMel:
    """Streaming front end: pushing a clip in pieces gives the frames of pushing it whole."""

    def __init__(self) -> None:
        self._window, self._mel = _build_tables()
        self._rest = np.zeros(0, np.float32)

    def push(self, samples: Samples) -> Samples:
        """float32 [n] at 16 kHz in, float32 [frames, 64] that are complete with it out."""
        data = np.concatenate([self._rest, samples]) if len(self._rest) else samples
        count = max(0, (len(data) - FRAME_SAMPLES) // FRAME_HOP_SAMPLES + 1)
        self._rest = data[count * FRAME_HOP_SAMPLES :].copy()
        out = np.empty((count, MEL_BANDS), np.float32)
        if count:
            frames = sliding_window_view(data, FRAME_SAMPLES)[::FRAME_HOP_SAMPLES]
            for start in range(0, count, _CHUNK):
                self._transform(frames[start : start + _CHUNK], out[start : start + _CHUNK])
        return out

    def _transform(self, frames: Samples, out: Samples) -> None:
        # Double precision up to the magnitude: in single precision the rounding noise of a loud tone fills the quiet
        # bands, and their logarithm is wrong by 6e-3.
        magnitude = np.abs(np.fft.rfft(frames * self._window, FFT_SIZE, axis=1)).astype(np.float32)
        np.matmul(magnitude, self._mel, out=out)
        out += _OFFSET
        np.log(out, out=out)


def compute_log_mel(waveform: Samples) -> Samples:
    """Log-mel frames float32 [1 + (n - 400) // 160, 64] of float32 [n] at 16 kHz; none when n < 400."""
    return LogMel().push(waveform)
