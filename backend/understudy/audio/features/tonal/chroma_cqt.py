"""Chroma from a constant-Q transform, as librosa.feature.chroma_cqt computes it."""

import numpy as np
from numpy.typing import NDArray

from understudy.audio.features.sample_feature import SampleFeature
from understudy.audio.features.spectral.stft import ShortTimeTransform, refuse_short
from understudy.audio.features.tonal.chroma import divide
from understudy.audio.features.tonal.constant_q import ConstantQ, build_constant_q
from understudy.audio.features.tonal.tuning import estimate_tuning
from understudy.schemas.front_end.parts import ChromaCqtPart
from understudy.schemas.front_end.spectrum import Stft

_C1_HZ = 440.0 * 2.0 ** ((24 - 69) / 12)
_TUNING_STFT = Stft(power=1)


class ChromaCqtFeature(SampleFeature):
    """Chroma from the magnitudes of all octaves; the tuning is estimated from the clip unless the part gives it."""

    def __init__(self, part: ChromaCqtPart, rate: int) -> None:
        """Prepare the sums at `rate` Hz. Raises SpecInvalid when the highest octave is above half the rate."""
        self._part = part
        self._rate = rate
        self._fmin = _C1_HZ if part.fmin is None else part.fmin
        self._weights = _build_weights(part, self._fmin)
        self._transform = ShortTimeTransform(_TUNING_STFT, double=True)
        self._build_transform(0.0 if part.tuning is None else part.tuning)

    def compute(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        if len(samples) == 0:
            raise refuse_short(0, 1)
        tuning = self._part.tuning
        if tuning is None:
            spectra = [block.to_power(1.0) for _, block in self._transform.transform(samples)]
            tuning = estimate_tuning(np.concatenate(spectra), self._rate, self._part.bins_per_octave)
        chroma = self._build_transform(tuning).compute(samples) @ self._weights
        return divide(chroma, chroma.max(axis=1)) if self._part.norm == "max" else chroma

    def _build_transform(self, tuning: float) -> ConstantQ:
        part = self._part
        fmin = self._fmin * 2.0 ** (tuning / part.bins_per_octave)
        return build_constant_q(self._rate, part.hop_length, fmin, part.n_octaves, part.bins_per_octave)


def _build_weights(part: ChromaCqtPart, fmin: float) -> NDArray[np.float32]:
    """Return the weights float32 [bins, n_chroma] from bins to pitch classes, beginning with C.

    Source: librosa.filters.cq_to_chroma.
    """
    merged = part.bins_per_octave // part.n_chroma
    weights = np.repeat(np.eye(part.n_chroma), merged, axis=1)
    weights = np.tile(np.roll(weights, -(merged // 2), axis=1), part.n_octaves)
    first_note = np.mod(12 * (np.log2(fmin) - np.log2(440.0)) + 69, 12)
    turned = np.roll(weights, int(np.round(first_note * (part.n_chroma / 12))), axis=0)
    return np.ascontiguousarray(turned.T, np.float32)
