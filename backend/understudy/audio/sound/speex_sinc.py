"""Resample with a sinc under a Kaiser window, as tfio.audio.resample does (Speex's resampler at quality 4).

Source: J.-M. Valin, libspeexdsp 1.2 (resample.c), as TensorFlow I/O 0.37 calls it. The samples come later by half a
filter, because TensorFlow I/O does not skip the resampler's delay; trained models know that delay, so that it is kept.
"""

from math import gcd

import numpy as np
from numpy.typing import NDArray

from understudy.audio.sound.phases import filter_phases

Weights = NDArray[np.float64]

BASE_LENGTH = 64
OVERSAMPLING = 8
BETA = 8.0
DOWN_BANDWIDTH, UP_BANDWIDTH = 0.921, 0.940
_WINDOW_STEPS = 32


def resample_speex(samples: NDArray[np.float32], rate: int, target: int) -> NDArray[np.float32]:
    """Return float32 [floor(n * target / rate)] for `samples` float32 [n]; both rates are in Hz."""
    divisor = gcd(rate, target)
    up, down = target // divisor, rate // divisor
    length, oversampling, cutoff = BASE_LENGTH, OVERSAMPLING, UP_BANDWIDTH
    if down > up:
        cutoff = DOWN_BANDWIDTH * up / down
        length = (BASE_LENGTH * down // up - 1) // 8 * 8 + 8
        for factor in (2, 4, 8, 16):
            oversampling = max(1, oversampling // 2) if factor * up < down else oversampling
    phase = np.arange(up)
    fraction = phase * down % up
    starts = phase * down // up - length + 1
    table = _compute_sinc(np.arange(-4, oversampling * length + 4) / oversampling - length // 2, length, cutoff)

    def weigh(phases: NDArray[np.int64]) -> Weights:
        if up > oversampling:
            return _interpolate_sinc(fraction[phases], up, length, oversampling, table)
        position = np.arange(length) - length // 2 + 1 - fraction[phases, None] / up
        return _compute_sinc(position, length, cutoff)

    return filter_phases(samples, weigh, starts, down, len(samples) * up // down).astype(np.float32)


def _interpolate_sinc(fraction: NDArray[np.int64], up: int, length: int, oversampling: int, table: Weights) -> Weights:
    """Return the weights [phases, length] of fractions of `up`, from a table with `oversampling` values a sample."""
    offset = fraction * oversampling // up
    part = (fraction * oversampling % up / up)[:, None]
    first = -0.16667 * part + 0.16667 * part**3
    second = part + 0.5 * part**2 - 0.5 * part**3
    fourth = -0.33333 * part + 0.5 * part**2 - 0.16667 * part**3
    cell = 4 + (np.arange(length) + 1) * oversampling - offset[:, None]
    return np.asarray(
        first * table[cell - 2]
        + second * table[cell - 1]
        + (1 - first - second - fourth) * table[cell]
        + fourth * table[cell + 1]
    )


def _compute_sinc(position: Weights, length: int, cutoff: float) -> Weights:
    """Return cutoff * sinc(cutoff * position) under the window; 0 from half of `length` on."""
    inside = np.abs(position) <= length / 2
    window = _interpolate_window(np.minimum(np.abs(2 * position / length), 1.0))
    return np.where(inside, cutoff * np.sinc(cutoff * position) * window, 0.0)


def _interpolate_window(position: Weights) -> Weights:
    """Return the Kaiser window at positions from 0 to 1, between 32 values by a cubic."""
    steps = np.arange(_WINDOW_STEPS + 1) / _WINDOW_STEPS
    values = np.i0(BETA * np.sqrt(1 - steps**2)) / np.i0(BETA)
    table = np.concatenate([values[1:2], values, [0.0, 0.0]])
    place = position * _WINDOW_STEPS
    cell = place.astype(np.int64)
    part = place - cell
    fourth = -part / 6 + part**3 / 6
    third = part + part**2 / 2 - part**3 / 2
    first = -part / 3 + part**2 / 2 - part**3 / 6
    return np.asarray(
        first * table[cell]
        + (1 - first - third - fourth) * table[cell + 1]
        + third * table[cell + 2]
        + fourth * table[np.minimum(cell + 3, len(table) - 1)]
    )
