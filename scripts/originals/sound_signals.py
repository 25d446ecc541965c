"""Make the signals that scripts and tests give to the original packages and to Understudy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def make_sweep(rate: int, seconds: float) -> NDArray[np.float32]:
    """Return float32 [int(rate * seconds)]: a sweep to 0.45 * rate, a tone of 440 Hz and noise of a formula."""
    index = np.arange(int(rate * seconds))
    time = index / rate
    sweep = 0.4 * np.sin(2 * np.pi * (50 + 0.225 * rate * time / seconds) * time)
    noise = np.modf(np.sin(index * 12.9898) * 43758.5453)[0]
    return np.asarray(sweep + 0.2 * np.sin(2 * np.pi * 440 * time) + 0.1 * noise, np.float32)


def make_event(rate: int) -> NDArray[np.float32]:
    """Return float32 [2 * rate]: two seconds of faint noise with a sweep from 0.6 to 1.3 s."""
    signal = (make_sweep(rate, 2.0) * np.float32(1e-4)).astype(np.float32)
    start, end = int(0.6 * rate), int(1.3 * rate)
    signal[start:end] = make_sweep(rate, 2.0)[start:end]
    return signal


def make_image(frames: int, features: int) -> NDArray[np.float32]:
    """Return smooth values with noise, float32 [frames, features]."""
    row, column = np.arange(frames)[:, None], np.arange(features)[None, :]
    noise = np.modf(np.sin(row * 12.9898 + column * 78.233) * 43758.5453)[0]
    return np.asarray(np.sin(row / 5) * np.cos(column / 7) * 30 + noise * 10 - 20, np.float32)
