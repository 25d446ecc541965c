"""From a source's channels and rate to mono at a model's rate."""

import numpy as np
import soxr

from understudy.audio.decoding.reader import Samples


class MonoStream:
    """Downmix by the mean of the channels and resample (soxr HQ where the rates differ), block by block."""

    def __init__(self, channels: int, rate: int, target: int) -> None:
        self._weights = np.full(channels, 1 / channels, np.float32)
        self._resampler = (
            None if rate == target else soxr.ResampleStream(rate, target, 1, dtype="float32", quality="HQ")
        )

    def mix(self, block: Samples) -> Samples:
        """float32 [frames] of float32 [frames, channels]."""
        # A matrix product: numpy's mean over a short last axis is ten times slower.
        return block[:, 0] if block.shape[1] == 1 else block @ self._weights

    def resample(self, mono: Samples) -> Samples:
        """The samples at the target rate that are certain by now; the rest comes later."""
        return mono if self._resampler is None else self._resampler.resample_chunk(mono)

    def finish(self) -> Samples:
        """The rest."""
        empty = np.zeros(0, np.float32)
        return empty if self._resampler is None else self._resampler.resample_chunk(empty, last=True)
