"""MFCC and log filter banks as the package python_speech_features computes them."""

import math
from collections.abc import Iterator

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from understudy.audio.features.sample_feature import SampleFeature
from understudy.audio.features.spectral.dct import build_dct
from understudy.audio.features.spectral.mel_filters import to_hertz, to_mel
from understudy.audio.features.spectral.stft import refuse_short
from understudy.audio.features.spectral.window_shapes import build_window
from understudy.errors import SpecInvalid
from understudy.schemas.front_end.parts import SpeechFeaturesPart
from understudy.schemas.front_end.spectrum import DctNorm, MelScale

_EPSILON = np.finfo(np.float64).eps  # takes the place of an energy of 0
_BLOCK = 256  # frames


class SpeechFeatures(SampleFeature):
    """`mfcc` or `logfbank` of python_speech_features 0.6, in float64 as the package."""

    def __init__(self, part: SpeechFeaturesPart, rate: int) -> None:
        """Build the tables at `rate` Hz. Raises SpecInvalid when the part does not fit the rate or itself."""
        self._part = part
        self._frame = math.floor(part.window_seconds * rate + 0.5)
        self._step = math.floor(part.step_seconds * rate + 0.5)
        if self._frame < 1 or self._step < 1:
            raise SpecInvalid(
                f"At {rate} Hz the spec's frames have {self._frame} samples and their step {self._step}.",
                remedy="Correct `window_seconds` and `step_seconds` in the model's spec.",
            )
        if part.kind == "speech_mfcc" and part.n_mfcc > part.n_filters:
            raise SpecInvalid(
                f"The spec asks for {part.n_mfcc} MFCC of {part.n_filters} filters.",
                remedy="Set `n_mfcc` to at most `n_filters` in the model's spec.",
            )
        self._n_fft = part.n_fft or 2 ** math.ceil(math.log2(part.window_seconds * rate))
        self._window = build_window(part.window, self._frame, symmetric=True)
        self._filters = _build_filters(part, self._n_fft, rate)
        self._dct = build_dct(part.n_filters, part.n_mfcc, DctNorm.ORTHO)
        if part.lifter > 0:
            self._dct *= 1 + part.lifter / 2 * np.sin(np.pi * np.arange(part.n_mfcc) / part.lifter)

    def compute(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the features float32 [frames, features]; a clip shorter than one frame is filled up with zeros."""
        if len(samples) == 0:
            raise refuse_short(0, 1)
        features = np.concatenate([self._transform(frames) for frames in self._cut(samples)])
        by_order = [features]
        for _ in range(max(self._part.deltas, default=0)):
            by_order.append(_differentiate(by_order[-1], self._part.delta_frames))
        return np.concatenate([by_order[order] for order in (0, *self._part.deltas)], axis=1).astype(np.float32)

    def _cut(self, samples: NDArray[np.float32]) -> Iterator[NDArray[np.float64]]:
        """Yield blocks of frames float64 [frames, samples] after the preemphasis."""
        signal = samples.astype(np.float64)
        if self._part.scale_16_bit:
            signal *= 32768
        signal[1:] -= self._part.preemphasis * signal[:-1].copy()
        count = 1 + max(0, -(-(len(signal) - self._frame) // self._step))
        missing = (count - 1) * self._step + self._frame - len(signal)
        frames = sliding_window_view(np.pad(signal, (0, missing)), self._frame)[:: self._step]
        for start in range(0, count, _BLOCK):
            yield frames[start : start + _BLOCK]

    def _transform(self, frames: NDArray[np.float64]) -> NDArray[np.float64]:
        spectra = scipy.fft.rfft(frames * self._window, self._n_fft, axis=1)
        power = (spectra.real**2 + spectra.imag**2) / self._n_fft
        bands = power @ self._filters
        logarithms = np.log(np.where(bands == 0, _EPSILON, bands))
        if self._part.kind == "speech_log_filterbank":
            return np.asarray(logarithms)
        coefficients = logarithms @ self._dct
        if self._part.append_energy:
            energy = power.sum(axis=1)
            coefficients[:, 0] = np.log(np.where(energy == 0, _EPSILON, energy))
        return np.asarray(coefficients)


def _build_filters(part: SpeechFeaturesPart, n_fft: int, rate: int) -> NDArray[np.float64]:
    """Return the weights float64 [n_fft // 2 + 1, n_filters] of triangles whose corners are whole bins.

    Source: get_filterbanks of python_speech_features.
    """
    high = part.high_hz or rate / 2
    if high > rate / 2 or part.low_hz >= high:
        raise SpecInvalid(
            f"The spec's filters reach from {part.low_hz:g} to {high:g} Hz; at {rate} Hz they must lie between 0 and "
            f"{rate / 2:g} Hz.",
            remedy="Correct `low_hz` and `high_hz`, or the sample rate, in the model's spec.",
        )
    low_mel, high_mel = to_mel(np.array([part.low_hz, high]), MelScale.HTK)
    corners = to_hertz(np.linspace(low_mel, high_mel, part.n_filters + 2), MelScale.HTK)
    bins = np.floor((n_fft + 1) * corners / rate).astype(int)
    weights = np.zeros((n_fft // 2 + 1, part.n_filters))
    for index, (low, center, high_bin) in enumerate(zip(bins[:-2], bins[1:-1], bins[2:], strict=True)):
        weights[low:center, index] = (np.arange(low, center) - low) / max(1, center - low)
        weights[center:high_bin, index] = (high_bin - np.arange(center, high_bin)) / max(1, high_bin - center)
    return weights


def _differentiate(features: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Return the slopes of straight lines through each frame and `side` frames before and after it."""
    padded = np.pad(features, ((side, side), (0, 0)), mode="edge")
    weights = np.arange(-side, side + 1)
    return np.asarray(sliding_window_view(padded, 2 * side + 1, axis=0) @ (weights / (weights**2).sum()))
