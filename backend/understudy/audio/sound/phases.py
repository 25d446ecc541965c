"""Apply a filter that repeats after a whole number of outputs, as resampling by a rational factor does."""

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Phases = NDArray[np.int64]
Weights = NDArray[np.float64]

# Columns of one matrix product: enough that the product is faster than the copy of its input.
_COLUMNS = 64
_CHUNK_VALUES = 1 << 21


def filter_phases(
    samples: NDArray[np.float32], weigh: Callable[[Phases], Weights], starts: Phases, down: int, count: int
) -> NDArray[np.float64]:
    """Return `count` outputs of a filter bank: float64 [count].

    Output q * up + p is the sum over k of weights[p, k] * samples[q * down + starts[p] + k]. `starts` int64 [up] must
    not decrease. `weigh` gives the weights [phases, width] of some phases p; it is asked for a few at a time, because
    those of all would need gigabytes for a recording of 767,999 Hz. Samples before the start and behind the end are 0.
    """
    if not count:
        return np.zeros(0)
    repeats = -(-_COLUMNS // len(starts))
    phases = np.tile(np.arange(len(starts)), repeats)[:count]
    starts = (starts + np.arange(repeats)[:, None] * down).ravel()[:count]
    down *= repeats
    width = weigh(phases[:1]).shape[1]
    up = len(phases)
    rows = -(-count // up)
    before = max(0, -int(starts[0]))
    after = max(0, (rows - 1) * down + int(starts[-1]) + width - len(samples))
    padded = np.pad(samples.astype(np.float64), (before, after))
    out = np.empty((rows, up))
    for first in range(0, up, _COLUMNS):
        block = slice(first, first + _COLUMNS)
        base = int(starts[first])
        matrix = _place_in_band(weigh(phases[block]), starts[block] - base)
        inputs = sliding_window_view(padded, len(matrix))[before + base :: down][:rows]
        step = max(1, _CHUNK_VALUES // len(matrix))
        for row in range(0, rows, step):
            chunk = slice(row, row + step)
            np.matmul(np.ascontiguousarray(inputs[chunk]), matrix, out=out[chunk, block])
    return out.ravel()[:count]


def _place_in_band(weights: Weights, offsets: Phases) -> Weights:
    """Return a matrix [inputs, phases] with the weights [phases, width] of each phase from its offset on."""
    phases, width = weights.shape
    matrix = np.zeros((int(offsets[-1]) + width, phases))
    matrix[offsets[:, None] + np.arange(width), np.arange(phases)[:, None]] = weights
    return matrix
