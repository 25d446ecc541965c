"""Measure level, peak, silence and clipping of a clip, block by block."""

import math

import numpy as np

from understudy.audio.decoding.reader import Samples

# -60 dBFS: 33 of the 32768 steps of a 16-bit recording. A clip whose peak stays below is silent.
SILENCE_PEAK = 1e-3
# The largest positive value of a 16-bit recording. CLIPPED_RUN samples in a row at this level are clipping.
FULL_SCALE = 32767 / 32768
CLIPPED_RUN = 3


def to_dbfs(amplitude: float) -> float | None:
    """Return 20 log10(`amplitude`): decibels relative to a full scale of 1.0; None for an amplitude of 0."""
    return 20 * math.log10(amplitude) if amplitude > 0 else None


class Meter:
    """Measures the samples added so far.

    `level_dbfs` is the RMS level of the mono mix, the signal that a model receives: a full-scale square wave has 0 dBFS
    and a full-scale sine -3.01 dBFS. `peak_dbfs` is the largest magnitude in any channel. `silent` means that the mono
    mix stays below -60 dBFS. `clipped` means that a channel holds three or more consecutive samples at or above
    32767/32768 of full scale.
    """

    def __init__(self, channels: int) -> None:
        self._peak = 0.0
        self._mono_peak = 0.0
        self._energy = 0.0
        self._frames = 0.0
        self._weight = 1.0
        self._tail = np.zeros((0, channels), bool)
        self.clipped = False

    def begin_part(self, channels: int, weight: float) -> None:
        """Expect blocks of so many channels from now on; one sample of their mix counts as `weight` of the first's.

        The weight is the first part's sample rate divided by this one's.
        """
        self._tail = np.zeros((0, channels), bool)
        self._weight = weight

    def add(self, block: Samples) -> None:
        """Add a block of finite numbers, float32 [frames, channels]."""
        peak = max(float(block.max()), -float(block.min()))
        self._peak = max(self._peak, peak)
        if not self.clipped:
            self._detect_clipping(block, peak)

    def add_mono(self, mono: Samples) -> None:
        """Add samples float32 [n] of the mono mix, which may lag behind the blocks."""
        if not len(mono):
            return
        self._mono_peak = max(self._mono_peak, float(mono.max()), -float(mono.min()))
        self._energy += self._weight * float(np.dot(mono, mono))
        self._frames += self._weight * len(mono)

    def _detect_clipping(self, block: Samples, peak: float) -> None:
        """Look for runs of samples at full scale, also across the border between two blocks."""
        if peak < FULL_SCALE:
            self._tail = self._tail[:0]
            return
        at_full_scale = np.concatenate([self._tail, np.abs(block) >= FULL_SCALE])
        runs = at_full_scale[: len(at_full_scale) - CLIPPED_RUN + 1].copy()
        for shift in range(1, CLIPPED_RUN):
            runs &= at_full_scale[shift : shift + len(runs)]
        self.clipped = bool(runs.any())
        self._tail = at_full_scale[-(CLIPPED_RUN - 1) :]

    @property
    def level_dbfs(self) -> float | None:
        return to_dbfs(math.sqrt(self._energy / self._frames)) if self._frames else None

    @property
    def peak_dbfs(self) -> float | None:
        return to_dbfs(self._peak)

    @property
    def silent(self) -> bool:
        return self._mono_peak < SILENCE_PEAK
