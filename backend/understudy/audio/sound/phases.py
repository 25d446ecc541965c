"""Apply a filter that repeats after a whole number of outputs, as resampling by a rational factor does."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

# Columns of one matrix product: enough that the product is faster than the copy of its input.
_COLUMNS = 64
_CHUNK_VALUES = 1 << 21


def filter_phases(
    samples: NDArray[np.float32],
    weights: NDArray[np.float64],
    starts: NDArray[np.int64],
    down: int,
    count: int,
) -> NDArray[np.float64]:
    """Return `count` outputs of a filter bank: float64 [count].

    Output q * up + p is the sum over k of weights[p, k] * samples[q * down + starts[p] + k], where `weights` has the
    shape [up, width]. `starts` int64 [up] must not decrease. Samples before the start and behind the end are 0.
    """
    if not count:
        return np.zeros(0)
    repeats = -(-_COLUMNS // len(weights))
    if repeats > 1:
        starts = (starts + np.arange(repeats)[:, None] * down).ravel()
        weights, down = np.tile(weights, (repeats, 1)), repeats * down
    up, width = weights.shape
    rows = -(-count // up)
    before = max(0, -int(starts[0]))
    after = max(0, (rows - 1) * down + int(starts[-1]) + width - len(samples))
    padded = np.pad(samples.astype(np.float64), (before, after))
    out = np.empty((rows, up))
    for first in range(0, up, _COLUMNS):
        phases = slice(first, min(first + _COLUMNS, up))
        base = int(starts[first])
        matrix = _place_in_band(weights[phases], starts[phases] - base)
        inputs = sliding_window_view(padded, len(matrix))[before + base :: down][:rows]
        step = max(1, _CHUNK_VALUES // len(matrix))
        for row in range(0, rows, step):
            chunk = slice(row, row + step)
            np.matmul(np.ascontiguousarray(inputs[chunk]), matrix, out=out[chunk, phases])
    return out.ravel()[:count]


def _place_in_band(weights: NDArray[np.float64], offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return a matrix [inputs, phases] with the weights [phases, width] of each phase from its offset on."""
    phases, width = weights.shape
    matrix = np.zeros((int(offsets[-1]) + width, phases))
    matrix[offsets[:, None] + np.arange(width), np.arange(phases)[:, None]] = weights
    return matrix
