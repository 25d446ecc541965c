"""One value for each frame, as the functions of the same names in librosa.feature compute them."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from understudy.audio.features.sample_feature import SampleFeature
from understudy.audio.features.spectral.reduction import SpectralFeature
from understudy.audio.features.spectral.stft import Spectra, pad_centered, refuse_short
from understudy.schemas.front_end.parts import FrameValuePart
from understudy.schemas.front_end.spectrum import PadMode, Stft

_ZERO = 1e-10  # librosa.zero_crossings takes smaller magnitudes for 0
_TINY = np.finfo(np.float32).tiny  # librosa.util.normalize leaves smaller sums as they are


class RmsFeature(SampleFeature):
    """The root of the mean square of each frame."""

    def __init__(self, part: FrameValuePart) -> None:
        self._stft = part.stft

    def compute(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        frames = sliding_window_view(_extend(samples, self._stft, self._stft.pad_mode), self._stft.n_fft)
        frames = frames[:: self._stft.hop_samples]
        power = np.einsum("ij,ij->i", frames, frames, dtype=np.float64) / self._stft.n_fft
        return np.asarray(np.sqrt(power)[:, None], np.float32)


class ZeroCrossingFeature(SampleFeature):
    """The share of samples whose sign differs from that of the sample before; 0 is positive."""

    def __init__(self, part: FrameValuePart) -> None:
        self._stft = part.stft

    def compute(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        signal = _extend(samples, self._stft, PadMode.EDGE)
        negative = signal < -_ZERO
        changes = np.concatenate([[0, 0], np.cumsum(negative[1:] != negative[:-1])])
        starts = np.arange(0, len(signal) - self._stft.n_fft + 1, self._stft.hop_samples)
        # The first sample of a frame has none before it.
        counts = changes[starts + self._stft.n_fft] - changes[starts + 1]
        return np.asarray((counts / self._stft.n_fft)[:, None], np.float32)


def _extend(samples: NDArray[np.float32], stft: Stft, mode: PadMode) -> NDArray[np.float32]:
    """Return `samples` padded for centered frames. Raises AudioUnusable when they give no frame."""
    needed = 1 if stft.center else stft.n_fft
    if len(samples) < needed:
        raise refuse_short(len(samples), needed)
    return pad_centered(samples, stft.n_fft, mode) if stft.center else samples


class _FrequencyFeature(SpectralFeature):
    """Base of the values that are frequencies in Hz."""

    width = 1
    # Noise far from a tone weighs much in a bandwidth, and which bin reaches a rolloff depends on the last bits.
    double = True

    def __init__(self, part: FrameValuePart, rate: int) -> None:
        self._power = part.stft.power
        self._frequencies = np.fft.rfftfreq(part.stft.n_fft, 1 / rate)


class CentroidFeature(_FrequencyFeature):
    """The mean frequency, weighted by the spectrum."""

    def reduce(self, spectra: Spectra, out: NDArray[np.float32]) -> None:
        out[:, 0] = self._compute(spectra)[1]

    def _compute(self, spectra: Spectra) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the spectra divided by their sums, and their mean frequencies."""
        values = spectra.to_power(self._power)
        sums = values.sum(axis=1, keepdims=True, dtype=np.float64)
        shares = values / np.where(sums < _TINY, 1.0, sums)
        return shares, shares @ self._frequencies


class BandwidthFeature(CentroidFeature):
    """The standard deviation of frequency around the centroid, weighted by the spectrum."""

    def reduce(self, spectra: Spectra, out: NDArray[np.float32]) -> None:
        shares, centroids = self._compute(spectra)
        deviations = self._frequencies - centroids[:, None]
        np.square(deviations, out=deviations)
        out[:, 0] = np.sqrt(np.einsum("ij,ij->i", shares, deviations))


class RolloffFeature(_FrequencyFeature):
    """The lowest frequency below which `roll_percent` of the spectrum's sum lies."""

    def __init__(self, part: FrameValuePart, rate: int) -> None:
        super().__init__(part, rate)
        self._share = np.float32(part.roll_percent)

    def reduce(self, spectra: Spectra, out: NDArray[np.float32]) -> None:
        sums = np.cumsum(spectra.to_power(self._power), axis=1)
        reached = sums >= self._share * sums[:, -1:]
        out[:, 0] = self._frequencies[np.argmax(reached, axis=1)]


class FlatnessFeature(SpectralFeature):
    """The geometric mean of the spectrum's squares divided by their arithmetic mean."""

    width = 1
    double = True

    def __init__(self, part: FrameValuePart) -> None:
        self._power = 2 * part.stft.power
        self._floor = np.float32(part.amin)

    def reduce(self, spectra: Spectra, out: NDArray[np.float32]) -> None:
        values = np.maximum(spectra.to_power(self._power), self._floor)
        out[:, 0] = np.exp(np.log(values).mean(axis=1)) / values.mean(axis=1)
