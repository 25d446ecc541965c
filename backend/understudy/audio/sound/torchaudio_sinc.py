"""Resample with a sinc under a squared cosine, as torchaudio.functional.resample does by default.

Source: torchaudio 2.x, functional/functional.py (`sinc_interp_hann`, width 6, rolloff 0.99).
"""

from math import ceil, gcd

import numpy as np
from numpy.typing import NDArray

from understudy.audio.sound.phases import filter_phases

ZEROS = 6
ROLLOFF = 0.99


def resample_torchaudio(samples: NDArray[np.float32], rate: int, target: int) -> NDArray[np.float32]:
    """Return float32 [ceil(n * target / rate)] for `samples` float32 [n]; both rates are in Hz."""
    divisor = gcd(rate, target)
    up, down = target // divisor, rate // divisor
    width = ceil(ZEROS * down / (min(up, down) * ROLLOFF))
    phase = np.arange(up)
    starts = phase * down // up - width

    def weigh(phases: NDArray[np.int64]) -> NDArray[np.float64]:
        tap = starts[phases, None] + np.arange(2 * width + 2)
        return _compute_weights(phases, tap, up, down)

    return filter_phases(samples, weigh, starts, down, ceil(up * len(samples) / down)).astype(np.float32)


def _compute_weights(phase: NDArray[np.int64], tap: NDArray[np.int64], up: int, down: int) -> NDArray[np.float64]:
    """Return the weights of samples `tap` int64 [phases, width] for outputs `phase` int64 [phases] of a cycle."""
    cutoff = min(up, down) * ROLLOFF
    # Single precision, as in the original: at hundreds of phases its rounding changes the samples by up to 2e-5.
    time = (np.float32(-1) * phase.astype(np.float32)[:, None] / np.float32(up)) + tap.astype(np.float32) / np.float32(
        down
    )
    time *= np.float32(cutoff)
    time = np.clip(time, -ZEROS, ZEROS)
    window = np.cos(time * np.float32(np.pi / ZEROS / 2)) ** 2
    return np.asarray(np.sinc(time.astype(np.float64)) * window * (cutoff / down))
