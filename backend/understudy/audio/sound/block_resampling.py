"""Resample a signal block by block, with the result that the whole signal gives."""

from math import ceil, gcd

import numpy as np
from numpy.typing import NDArray

from understudy.audio.sound.resampling import count_resampled, resample_part
from understudy.schemas.front_end.sound import Resampler

Signal = NDArray[np.float32]

# Samples on each side of an output that a filter may weigh, at the lower of both rates: the longest is tfio's 72.
_REACH = 128


class BlockResampler:
    """Converts consecutive blocks from `rate` to `target` Hz.

    A filter repeats after rate / gcd samples, one cycle. Each block is resampled in whole cycles, together with the
    samples around it that the filter weighs, so that its samples are those of the whole signal up to rounding.
    """

    def __init__(self, rate: int, target: int, resampler: Resampler) -> None:
        """`resampler` is not one of WHOLE_SIGNAL; `resample` raises ValueError for those."""
        divisor = gcd(rate, target)
        self._rate, self._target, self._resampler = rate, target, resampler
        self._up, self._down = target // divisor, rate // divisor
        self._reach = ceil(_REACH * max(1.0, rate / target))
        self._before = ceil(self._reach / self._down)  # cycles
        self._held = np.zeros(0, np.float32)
        self._first = 0  # the cycle that `_held` starts with
        self._done = 0  # cycles
        self._total = 0
        self._made = 0

    def resample(self, block: Signal) -> Signal:
        """Return the samples float32 [m] that `block` float32 [n] completes."""
        self._held = np.concatenate([self._held, block])
        self._total += len(block)
        ready = (self._total - self._reach) // self._down
        if ready <= self._done:
            return np.zeros(0, np.float32)
        made = self._convert((ready - self._first) * self._down + self._reach)[: (ready - self._done) * self._up]
        self._done = ready
        kept = max(0, ready - self._before)
        self._held = self._held[(kept - self._first) * self._down :]
        self._first = kept
        self._made += len(made)
        return made

    def finish(self) -> Signal:
        """Return the last samples float32 [m]; with all before they are as many as the whole signal gives."""
        missing = count_resampled(self._total, self._rate, self._target, self._resampler) - self._made
        made = self._convert(len(self._held))[:missing]
        self._made += missing
        return np.pad(made, (0, missing - len(made)))

    def _convert(self, end: int) -> Signal:
        """Return the outputs from cycle `_done` on of the first `end` held samples."""
        made = resample_part(self._held[:end], self._rate, self._target, self._resampler, self._first)
        return made[(self._done - self._first) * self._up :]
