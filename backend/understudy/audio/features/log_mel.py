"""Compute YAMNet's features: log-mel frames of sound at 16 kHz.

A frame covers 400 samples and the next frame begins 160 samples later; the first frame begins with the first sample.
Each frame is multiplied by a periodic Hann window. The magnitudes of its 512-point DFT are summed by 64 triangular
bands from 125 to 7500 Hz on the HTK mel scale. The feature is the natural logarithm log(x + 0.001) of each band.

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
# Frames of one step, a little more than one block of sound gives. Another thread can take the interpreter's lock
# between two operations, so smaller steps cost time: with 32 frames a server answers 5 % fewer clips.
_CHUNK = 160


def build_hann_window() -> NDArray[np.float64]:
    """Return the periodic Hann window float64 [400]: 0.5 - 0.5 cos(2 pi n / 400)."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME_SAMPLES) / FRAME_SAMPLES)


def build_mel_matrix() -> NDArray[np.float64]:
    """Return the weights float64 [257, 64] from DFT bins to mel bands.

    Each band is a triangle of height 1 on the HTK mel scale, 1127 ln(1 + f / 700) for f in Hz. The weights of
    bin 0, the constant part of a frame, are 0.
    """
    bins = _to_mel(np.arange(FFT_SIZE // 2 + 1) * SAMPLE_RATE / FFT_SIZE)[:, None]
    edges = np.linspace(_to_mel(np.float64(MEL_LOW_HZ)), _to_mel(np.float64(MEL_HIGH_HZ)), MEL_BANDS + 2)
    low, center, high = edges[:-2], edges[1:-1], edges[2:]
    weights = np.maximum(0.0, np.minimum((bins - low) / (center - low), (high - bins) / (high - center)))
    weights[0] = 0.0
    return weights


@cache
def _build_tables() -> tuple[NDArray[np.float64], Samples]:
    """Return the window float64 [400] and the mel weights float32 [257, 64].

    They are built once, because building them costs as much as the features of 0.2 s of sound.
    """
    return build_hann_window(), build_mel_matrix().astype(np.float32)


def _to_mel(hertz: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    return np.asarray(1127.0 * np.log1p(hertz / 700.0))


class LogMel:
    """Computes log-mel frames of a stream; the pieces in which a clip arrives do not change its frames."""

    def __init__(self) -> None:
        self._window, self._mel = _build_tables()
        self._rest = np.zeros(0, np.float32)

    def push(self, samples: Samples) -> Samples:
        """Return the frames float32 [frames, 64] that `samples` float32 [n] at 16 kHz complete."""
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
        # The transform runs in double precision. In single precision the rounding noise of a loud tone fills the quiet
        # bands, and their logarithm is wrong by 6e-3.
        magnitude = np.abs(np.fft.rfft(frames * self._window, FFT_SIZE, axis=1)).astype(np.float32)
        np.matmul(magnitude, self._mel, out=out)
        out += _OFFSET
        np.log(out, out=out)


def compute_log_mel(waveform: Samples) -> Samples:
    """Return the log-mel frames float32 [1 + (n - 400) // 160, 64] of `waveform` float32 [n] at 16 kHz.

    Fewer than 400 samples give no frame.
    """
    return LogMel().push(waveform)
