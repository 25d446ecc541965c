"""The steps from a clip's spectra to the features of one part."""

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from understudy.audio.features.spectral.compression import compress
from understudy.audio.features.spectral.stft import Spectra
from understudy.schemas.front_end.parts import StftPart
from understudy.schemas.front_end.spectrum import Linear


class SpectralFeature(ABC):
    """A part that is computed from spectra: block by block, and then once for the whole clip."""

    width: int  # values that `reduce` gives for each frame
    double: bool  # the transform must run in float64

    @abstractmethod
    def reduce(self, spectra: Spectra, out: NDArray[np.float32]) -> None:
        """Write the values float32 [frames, width] of a block of frames to `out`."""

    def finish(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the features float32 [frames, features] of a clip from all of its values, which may be overwritten."""
        return values


class StftFeature(SpectralFeature):
    """The spectra themselves."""

    def __init__(self, part: StftPart) -> None:
        self.width = part.stft.n_fft // 2 + 1
        # Single bins reach deeper than sums of bins: their decibels show the noise of float32.
        self.double = not isinstance(part.compression, Linear)
        self._power = part.stft.power
        self._compression = part.compression

    def reduce(self, spectra: Spectra, out: NDArray[np.float32]) -> None:
        out[:] = spectra.to_power(self._power)

    def finish(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        return compress(values, self._compression)
