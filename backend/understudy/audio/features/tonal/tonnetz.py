"""Tonal centroids, as librosa.feature.tonnetz computes them from chroma.

Source: C. Harte, M. Sandler and M. Gasser, Detecting Harmonic Change in Musical Audio (2006).
"""

import numpy as np
from numpy.typing import NDArray

from understudy.audio.features.sample_feature import SampleFeature
from understudy.audio.features.spectral.stft import ShortTimeTransform
from understudy.audio.features.tonal.chroma import ChromaFeature, divide
from understudy.audio.features.tonal.chroma_cqt import ChromaCqtFeature
from understudy.audio.features.tonal.harmonic import extract_harmonic
from understudy.schemas.front_end.parts import ChromaCqtPart, ChromaPart, TonnetzPart

_STEPS = np.array([7 / 6, 7 / 6, 3 / 2, 3 / 2, 2 / 3, 2 / 3])  # fifths, minor thirds, major thirds
_RADII = np.array([1.0, 1.0, 1.0, 1.0, 0.5, 0.5])


class TonnetzFeature(SampleFeature):
    """The places of a frame's chroma on the circles of fifths, minor thirds and major thirds."""

    def __init__(self, part: TonnetzPart, rate: int) -> None:
        """Prepare the chroma at `rate` Hz. Raises SpecInvalid when it does not fit the rate."""
        self._harmonic = part.harmonic
        self._chroma = _build_chroma(part.chroma, rate)
        self._weights = _build_weights(part.chroma.n_chroma)

    def compute(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._harmonic:
            samples = extract_harmonic(samples)
        chroma = self._chroma.compute(samples)
        return divide(chroma, np.abs(chroma).sum(axis=1)) @ self._weights


class _StftChroma(SampleFeature):
    """Chroma from spectra of samples that no other part takes."""

    def __init__(self, part: ChromaPart, rate: int) -> None:
        self._feature = ChromaFeature(part, rate)
        self._transform = ShortTimeTransform(part.stft, double=True)

    def compute(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        values = np.empty((self._transform.count_frames(len(samples)), self._feature.width), np.float32)
        for place, spectra in self._transform.transform(samples):
            self._feature.reduce(spectra, values[place])
        return self._feature.finish(values)


def _build_chroma(part: ChromaPart | ChromaCqtPart, rate: int) -> SampleFeature:
    return _StftChroma(part, rate) if isinstance(part, ChromaPart) else ChromaCqtFeature(part, rate)


def _build_weights(count: int) -> NDArray[np.float32]:
    """Return the weights float32 [count, 6] from pitch classes to places."""
    classes = np.linspace(0, 12, num=count, endpoint=False)
    angles = classes[:, None] * _STEPS
    angles[:, ::2] -= 0.5  # sines
    return np.asarray(_RADII * np.cos(np.pi * angles), np.float32)
