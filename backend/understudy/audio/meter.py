"""Level, peak, silence and clipping of a clip, gathered block by block."""

import math

import numpy as np

from understudy.audio.decoding.reader import Samples
from understudy.errors import AudioUnusable

# -60 dBFS: 33 of the 32768 steps of a 16-bit recording.
SILENCE_PEAK = 1e-3
# The largest positive value of a 16-bit recording.
FULL_SCALE = 32767 / 32768
CLIPPED_RUN = 3
# +40 dBFS: float files above it hold integers that nobody divided by full scale.
ABSURD_PEAK = 100.0


def to_dbfs(amplitude: float) -> float | None:
    """Decibels relative to full scale (1.0); None for 0."""
    return 20 * math.log10(amplitude) if amplitude > 0 else None


class Meter:
    """Facts about the samples seen so far.

    `level_dbfs`: RMS of the mono mix, which is what a model hears; a full-scale square wave is 0, a sine -3.01.
    `peak_dbfs`: largest magnitude in any channel. `silent`: the mono mix never exceeds -60 dBFS.
    `clipped`: some channel holds three or more consecutive samples at or beyond 32767/32768 of full scale.
    """

    def __init__(self, channels: int) -> None:
        self._peak = 0.0
        self._mono_peak = 0.0
        self._energy = 0.0
        self._frames = 0
        self._tail = np.zeros((0, channels), bool)
        self.clipped = False

    def add(self, block: Samples, mono: Samples) -> None:
        """Take in [frames, channels] and its mono mix [frames]; raises AudioUnusable for what is no sound."""
        peak = max(float(block.max()), -float(block.min()))
        if not math.isfinite(peak):
            raise AudioUnusable("The recording holds values that are not numbers (NaN) or infinite.")
        if peak > ABSURD_PEAK:
            raise AudioUnusable(
                f"The recording reaches {peak:.3g} times full scale.",
                remedy="Divide the samples by the full scale of their integers (32768 for 16 bit) and save it again.",
            )
        self._peak = max(self._peak, peak)
        self._mono_peak = max(self._mono_peak, peak if block.shape[1] == 1 else float(np.abs(mono).max()))
        self._energy += float(np.dot(mono, mono))
        self._frames += len(mono)
        if not self.clipped:
            self._detect_clipping(block, peak)

    def _detect_clipping(self, block: Samples, peak: float) -> None:
        if peak < FULL_SCALE:
            self._tail = self._tail[:0]
            return
        at_rail = np.concatenate([self._tail, np.abs(block) >= FULL_SCALE])
        runs = at_rail[: len(at_rail) - CLIPPED_RUN + 1].copy()
        for shift in range(1, CLIPPED_RUN):
            runs &= at_rail[shift : shift + len(runs)]
        self.clipped = bool(runs.any())
        self._tail = at_rail[-(CLIPPED_RUN - 1) :]

    @property
    def level_dbfs(self) -> float | None:
        return to_dbfs(math.sqrt(self._energy / self._frames)) if self._frames else None

    @property
    def peak_dbfs(self) -> float | None:
        return to_dbfs(self._peak)

    @property
    def silent(self) -> bool:
        return self._mono_peak < SILENCE_PEAK
