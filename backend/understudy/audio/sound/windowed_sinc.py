"""Resample with an interpolated table of a Kaiser-windowed sinc, as the package resampy does.

Source: B. McFee, resampy 0.2.2 and 0.4.3 (core.py, interpn.py), after J. O. Smith, "Digital Audio Resampling". The
tables of both versions are reproduced by formula to 1e-15. The table's step is cut to a whole number when the rate
goes down, which stretches the filter by up to a percent; trained models know that error, so that it is kept.
"""

from dataclasses import dataclass
from functools import cache
from math import gcd

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from understudy.audio.sound.phases import filter_phases

Times = NDArray[np.float64]

_CHUNK_VALUES = 1 << 20
# Samples by which the summed times may leave the exact ones before the outputs are corrected.
_TOLERATED_DRIFT = 2e-7
# Share of the distance between two phases by which the times may leave the exact ones; else each output is weighed.
_LARGEST_DRIFT = 0.5


@dataclass(frozen=True)
class KaiserFilter:
    """A filter of resampy: zero crossings on one side, table values between two of them, and the Kaiser window.

    `summed_times` is true for resampy 0.2, which adds up the time of the outputs and so collects rounding errors.
    """

    zeros: int
    precision: int
    beta: float
    rolloff: float
    summed_times: bool = False


RESAMPY_4_BEST = KaiserFilter(50, 8192, 12.984585247040009, 0.9173473712608761)
RESAMPY_4_FAST = KaiserFilter(24, 512, 9.903224416455279, 0.8682120388377784)
RESAMPY_2_BEST = KaiserFilter(64, 512, 14.769656459379492, 0.9475937167399596, summed_times=True)
RESAMPY_2_FAST = KaiserFilter(16, 512, 8.555504641634386, 0.85, summed_times=True)


@cache
def build_half_window(kernel: KaiserFilter) -> NDArray[np.float64]:
    """Return the right half of the filter, float64 [zeros * precision + 1]."""
    size = kernel.zeros * kernel.precision
    position = np.linspace(0, 1, size + 1)
    taper = np.i0(kernel.beta * np.sqrt(1 - position**2)) / np.i0(kernel.beta)
    table = np.asarray(taper * kernel.rolloff * np.sinc(kernel.rolloff * kernel.zeros * position))
    table.flags.writeable = False
    return table


@dataclass(frozen=True)
class _Table:
    """A filter's half window at one ratio of rates, and the weights that it gives samples around a time."""

    window: NDArray[np.float64]
    slopes: NDArray[np.float64]
    precision: int
    scale: float
    step: int

    @classmethod
    def build(cls, kernel: KaiserFilter, ratio: float) -> "_Table":
        scale = min(1.0, ratio)
        window = build_half_window(kernel) * scale
        return cls(
            window, np.diff(window, append=window[-1]), kernel.precision, scale, max(1, int(scale * kernel.precision))
        )

    @property
    def taps(self) -> int:
        """Samples on each side of a time that have a weight."""
        return len(self.window) // self.step

    def weigh(self, fraction: Times) -> NDArray[np.float64]:
        """Return the weights float64 [outputs, 2 * taps] of the samples around times n + `fraction`.

        The first column belongs to sample n - taps + 1 and the last to n + taps.
        """
        left = self._weigh_side(self.scale * fraction, self.window, self.slopes)
        right = self._weigh_side(self.scale - self.scale * fraction, self.window, self.slopes)
        return np.concatenate([left[:, ::-1], right], axis=1)

    def differentiate(self, fraction: Times) -> NDArray[np.float64]:
        """Return the change of `weigh` per sample of time."""
        per_sample = self.slopes * (self.scale * self.precision)
        level = np.zeros_like(self.slopes)
        left = self._weigh_side(self.scale * fraction, per_sample, level)
        right = self._weigh_side(self.scale - self.scale * fraction, -per_sample, level)
        return np.concatenate([left[:, ::-1], right], axis=1)

    def has_jump(self, fraction: Times, distance: float) -> NDArray[np.bool_]:
        """Return bool [outputs]: true where the number of weights changes within `distance` samples of a time."""
        counts = [
            (len(self.window) - (np.abs(position) * self.precision).astype(np.int64)) // self.step
            for time in (fraction - distance, fraction + distance)
            for position in (self.scale * time, self.scale - self.scale * time)
        ]
        return np.asarray((counts[0] != counts[2]) | (counts[1] != counts[3]))

    def _weigh_side(
        self, position: Times, values: NDArray[np.float64], slopes: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        index = position * self.precision
        offset = index.astype(np.int64)
        tap = np.arange(self.taps)
        cell = np.minimum(offset[:, None] + tap * self.step, len(values) - 1)
        weights: NDArray[np.float64] = values[cell] + (index - offset)[:, None] * slopes[cell]
        weights[tap >= ((len(values) - offset) // self.step)[:, None]] = 0.0
        return weights


def resample_windowed_sinc(
    samples: NDArray[np.float32], rate: int, target: int, kernel: KaiserFilter, cycle: int = 0
) -> NDArray[np.float32]:
    """Return float32 [int(n * target / rate)] for `samples` float32 [n]; both rates are in Hz.

    A part of a signal gives the same as in the signal's middle, but for its ends, where it starts `cycle` times
    rate / gcd(rate, target) samples after the signal's start: the times are rounded as they are there. Raises
    ValueError for such a part with a filter of `summed_times`, which needs all times before.
    """
    ratio = float(target) / rate
    divisor = gcd(rate, target)
    up, down = target // divisor, rate // divisor
    if kernel.summed_times:
        if cycle:
            raise ValueError("the times of this filter are a sum over the whole signal")
        count = int(len(samples) * ratio)
        times = _sum_times(count, 1.0 / ratio)
        phases = times[:up]
    else:
        count = int(len(samples) * float(target) / float(rate))
        # The difference is exact: it has no more digits than the time.
        times = np.arange(cycle * up, cycle * up + count, dtype=np.float64) * (1.0 / ratio) - cycle * down
        phases = np.arange(up, dtype=np.float64) * (1.0 / ratio)
    table = _Table.build(kernel, ratio)
    if count <= up:
        return _filter_each(samples, times, table).astype(np.float32)
    drift = _measure_drift(times, phases, down)
    if np.abs(drift).max() * up > _LARGEST_DRIFT:
        return _filter_each(samples, times, table).astype(np.float32)
    return _filter_by_phase(samples, times, phases, drift, table, down).astype(np.float32)


def _measure_drift(times: Times, phases: Times, down: int) -> Times:
    """Return how far the rounded times lie behind the times `phases` of a cycle, repeated every `down` samples."""
    cycle = np.arange(-(-len(times) // len(phases))) * float(down)
    return np.asarray(times - (cycle[:, None] + phases).ravel()[: len(times)])


def _sum_times(count: int, increment: float) -> Times:
    """Return 0, increment, increment + increment, … as a loop of additions rounds them."""
    increments = np.full(count, increment)
    increments[:1] = 0.0
    return np.cumsum(increments)


def _filter_by_phase(
    samples: NDArray[np.float32], times: Times, phases: Times, drift: Times, table: _Table, down: int
) -> NDArray[np.float64]:
    """Filter with the weights of the times `phases`, which repeat `down` samples later."""
    up = len(phases)
    whole = phases.astype(np.int64)
    fraction = phases - whole
    starts = whole - table.taps + 1
    count = len(times)
    out = filter_phases(samples, lambda phase: table.weigh(fraction[phase]), starts, down, count)
    if np.abs(drift).max() > _TOLERATED_DRIFT:
        out += drift * filter_phases(samples, lambda phase: table.differentiate(fraction[phase]), starts, down, count)
    # The filter jumps where a time passes a whole sample (only the first phase lies there) or where the number of
    # weights changes. A rounded time can fall on the other side of such a jump than the first cycle's.
    jumps = table.has_jump(fraction, max(float(np.abs(drift).max()), _TOLERATED_DRIFT))
    at_jump = np.flatnonzero(np.tile(jumps, -(-count // up))[:count])
    rounded = at_jump[times[at_jump] - np.floor(times[at_jump]) != fraction[at_jump % up]]
    early = np.flatnonzero(drift[::up] < 0) * up
    for outputs in (rounded, early):
        if len(outputs):
            out[outputs] = _filter_each(samples, times[outputs], table)
    return out


def _filter_each(samples: NDArray[np.float32], times: Times, table: _Table) -> NDArray[np.float64]:
    """Filter with weights that are computed for each output."""
    taps = table.taps
    padded = np.pad(samples, (taps, taps)).astype(np.float64)
    windows = sliding_window_view(padded, 2 * taps)
    out = np.empty(len(times))
    step = max(1, _CHUNK_VALUES // (2 * taps))
    for start in range(0, len(times), step):
        chunk = slice(start, start + step)
        whole = times[chunk].astype(np.int64)
        out[chunk] = np.einsum("nk,nk->n", windows[whole + 1], table.weigh(times[chunk] - whole))
    return out
