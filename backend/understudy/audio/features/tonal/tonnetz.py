"""Tonal centroids, as librosa.feature.tonnetz computes them from chroma.

Source: C. Harte, M. Sandler and M. Gasser, Detecting Harmonic Change in Musical Audio (2006).
"""

import numpy as np
from numpy.typing import NDArray

from understudy.audio.features.tonal.chroma import ChromaFeature, divide
from understudy.schemas.front_end.parts import TonnetzPart

_STEPS = np.array([7 / 6, 7 / 6, 3 / 2, 3 / 2, 2 / 3, 2 / 3])  # fifths, minor thirds, major thirds
_RADII = np.array([1.0, 1.0, 1.0, 1.0, 0.5, 0.5])


class TonnetzFeature(ChromaFeature):
    """The places of a frame's chroma on the circles of fifths, minor thirds and major thirds."""

    def __init__(self, part: TonnetzPart, rate: int) -> None:
        super().__init__(part.chroma, rate)
        self._weights = build_tonnetz_weights(part.chroma.n_chroma)

    def finish(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        return place_on_circles(super().finish(values), self._weights)


def place_on_circles(chroma: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the places float32 [frames, 6] of chroma float32 [frames, n]."""
    return divide(chroma, np.abs(chroma).sum(axis=1)) @ weights


def build_tonnetz_weights(count: int) -> NDArray[np.float32]:
    """Return the weights float32 [count, 6] from pitch classes to places."""
    classes = np.linspace(0, 12, num=count, endpoint=False)
    angles = classes[:, None] * _STEPS
    angles[:, ::2] -= 0.5  # sines
    return np.asarray(_RADII * np.cos(np.pi * angles), np.float32)
