"""Convert a source's channels and sample rate to mono at a model's sample rate."""

import numpy as np
import soxr

from understudy.audio.decoding.reader import Samples


class MonoStream:
    """Mixes the channels down to their mean and resamples block by block, with soxr's HQ preset.

    `rate` is the source's sample rate and `target` the model's, both in Hz. Equal rates are not resampled.
    """

    def __init__(self, channels: int, rate: int, target: int) -> None:
        self._weights = np.full(channels, 1 / channels, np.float32)
        self._resampler = (
            None if rate == target else soxr.ResampleStream(rate, target, 1, dtype="float32", quality="HQ")
        )

    def mix(self, block: Samples) -> Samples:
        """Return the mean of the channels: float32 [frames] for a block float32 [frames, channels]."""
        # A matrix product, because numpy's mean over a short last axis is ten times slower.
        return block[:, 0] if block.shape[1] == 1 else block @ self._weights

    def resample(self, mono: Samples) -> Samples:
        """Return the samples float32 [n] at the target rate that `mono` float32 [m] completes.

        The resampler holds back the last few milliseconds until more samples arrive or `finish` is called.
        """
        return mono if self._resampler is None else self._resampler.resample_chunk(mono)

    def finish(self) -> Samples:
        """Return the samples float32 [n] that the resampler still holds."""
        empty = np.zeros(0, np.float32)
        return empty if self._resampler is None else self._resampler.resample_chunk(empty, last=True)
