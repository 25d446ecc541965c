"""Spectral contrast, as librosa.feature.spectral_contrast computes it."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from understudy.audio.features.spectral.compression import compress
from understudy.audio.features.spectral.reduction import SpectralFeature
from understudy.audio.features.spectral.stft import Spectra
from understudy.errors import SpecInvalid
from understudy.schemas.front_end.parts import ContrastPart
from understudy.schemas.front_end.spectrum import Decibels


class ContrastFeature(SpectralFeature):
    """The difference between the loudest and the quietest bins of octave bands, in decibels unless `linear`."""

    # Decibels of magnitudes that end 80 dB below the maximum reach down to 1e-8 of it: below the noise of float32.
    double = True

    def __init__(self, part: ContrastPart, rate: int) -> None:
        """Find the bins of each band at `rate` Hz. Raises SpecInvalid when a band holds none or is above Nyquist."""
        self._power = part.stft.power
        self._linear = part.linear
        self._bands = _find_bands(part, rate)
        self.width = 2 * len(self._bands)

    def reduce(self, spectra: Spectra, out: NDArray[np.float32]) -> None:
        values = spectra.to_power(self._power)
        for index, (bins, count) in enumerate(self._bands):
            ordered = np.sort(values[:, bins], axis=1)
            out[:, index] = ordered[:, :count].mean(axis=1)
            out[:, len(self._bands) + index] = ordered[:, -count:].mean(axis=1)

    def finish(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        valleys, peaks = np.split(values, 2, axis=1)
        if self._linear:
            return peaks - valleys
        # The floor of 80 dB counts from the maximum of the peaks and from that of the valleys.
        return compress(peaks, Decibels()) - compress(valleys, Decibels())


def _find_bands(part: ContrastPart, rate: int) -> list[tuple[slice, int]]:
    """Return the bins of each band and the number of bins that its peak and its valley are the means of."""
    edges = np.concatenate([[0.0], part.fmin * 2.0 ** np.arange(part.n_bands + 1)])
    if edges[-2] >= rate / 2:
        raise SpecInvalid(
            f"The last band of the spec's contrast begins at {edges[-2]:g} Hz, above half the sample rate {rate}.",
            remedy="Lower `fmin` or `n_bands`, or raise the sample rate, in the model's spec.",
        )
    frequencies = np.fft.rfftfreq(part.stft.n_fft, 1 / rate)
    bands = []
    for index, (low, high) in enumerate(pairwise(edges)):
        inside = np.flatnonzero((frequencies >= low) & (frequencies <= high))
        first, last = (inside[0] - (index > 0), inside[-1]) if len(inside) else (0, -1)
        if index == part.n_bands:
            last = len(frequencies) - 1
        count = max(1, round(part.quantile * (last - first + 1)))
        # All bands but the last leave out their last bin, which the next band has too.
        stop = last + 1 if index == part.n_bands else last
        if len(inside) == 0 or stop <= first:
            raise SpecInvalid(
                f"No bin of the spec's contrast lies between {low:g} and {high:g} Hz at n_fft {part.stft.n_fft}.",
                remedy="Raise `n_fft` or `fmin` in the model's spec.",
            )
        bands.append((slice(int(first), int(stop)), count))
    return bands
