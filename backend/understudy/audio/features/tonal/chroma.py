"""Chroma: the energy of each pitch class, as librosa.feature.chroma_stft computes it."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from understudy.audio.features.spectral.reduction import SpectralFeature
from understudy.audio.features.spectral.stft import Spectra
from understudy.audio.features.tonal.tuning import estimate_tuning
from understudy.schemas.front_end.parts import ChromaPart

_A_HZ = 440.0
_CENTER_OCTAVE = 5.0
_OCTAVE_WIDTH = 2.0


class ChromaFeature(SpectralFeature):
    """Chroma from spectra; the tuning is estimated from the whole clip unless the part gives it."""

    double = True

    def __init__(self, part: ChromaPart, rate: int) -> None:
        self.width = part.stft.n_fft // 2 + 1
        self._part = part
        self._rate = rate

    def reduce(self, spectra: Spectra, out: NDArray[np.float32]) -> None:
        out[:] = spectra.to_power(self._part.stft.power)

    def finish(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        count, tuning = self._part.n_chroma, self._part.tuning
        if tuning is None:
            tuning = estimate_tuning(values, self._rate, count)
        chroma = values @ build_chroma_weights(self._rate, self._part.stft.n_fft, count, tuning)
        return divide(chroma, chroma.max(axis=1)) if self._part.norm == "max" else chroma


def divide(chroma: NDArray[np.float32], lengths: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return frames [frames, n] divided by their lengths [frames]; frames of about 0 stay as they are.

    Source: librosa.util.normalize.
    """
    return np.asarray(chroma / np.where(lengths < np.finfo(np.float32).tiny, np.float32(1), lengths)[:, None])


@lru_cache(maxsize=16)
def build_chroma_weights(rate: int, n_fft: int, count: int, tuning: float) -> NDArray[np.float32]:
    """Return the weights float32 [n_fft // 2 + 1, count] from bins to pitch classes, beginning with C.

    Source: librosa.filters.chroma with its defaults.
    """
    frequencies = np.arange(1, n_fft) * (rate / n_fft)
    reference = _A_HZ * 2.0 ** (tuning / count) / 16
    places = count * np.log2(frequencies / reference)
    # Bin 0 lies one and a half octaves below bin 1, so that its weights are wide and turned by half an octave.
    places = np.concatenate([[places[0] - 1.5 * count], places])
    widths = np.concatenate([np.maximum(places[1:] - places[:-1], 1.0), [1.0]])
    half = np.round(count / 2)
    distances = np.remainder(places[:, None] - np.arange(count) + half + 10 * count, count) - half
    weights = np.exp(-0.5 * (2 * distances / widths[:, None]) ** 2)
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    weights *= np.exp(-0.5 * ((places / count - _CENTER_OCTAVE) / _OCTAVE_WIDTH) ** 2)[:, None]
    weights = np.roll(weights, -3 * (count // 12), axis=1)
    return np.ascontiguousarray(weights[: n_fft // 2 + 1], np.float32)
