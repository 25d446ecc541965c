"""Triangular mel filters.

Sources: librosa.filters.mel, torchaudio.functional.melscale_fbanks (straight in Hz) and
tf.signal.linear_to_mel_weight_matrix (straight in mel). Slaney's scale is that of his Auditory Toolbox: linear up to
1 kHz, logarithmic above. HTK's is 2595 log10(1 + f / 700).
"""

import math

import numpy as np
from numpy.typing import NDArray

from understudy.errors import SpecInvalid
from understudy.schemas.front_end.spectrum import MelBands, MelScale

_HZ_PER_MEL = 200.0 / 3
_LOG_START_HZ = 1000.0
_LOG_START_MEL = _LOG_START_HZ / _HZ_PER_MEL
_LOG_STEP = math.log(6.4) / 27.0
# Bands that are multiplied at a time. Each group reads only the bins that its bands cover.
_GROUP = 16


def to_mel(hertz: NDArray[np.float64], scale: MelScale) -> NDArray[np.float64]:
    """Return the place of frequencies in Hz on a mel scale."""
    if scale is MelScale.HTK:
        return np.asarray(2595.0 * np.log10(1.0 + hertz / 700.0))
    above = _LOG_START_MEL + np.log(np.maximum(hertz, _LOG_START_HZ) / _LOG_START_HZ) / _LOG_STEP
    return np.where(hertz >= _LOG_START_HZ, above, hertz / _HZ_PER_MEL)


def to_hertz(mel: NDArray[np.float64], scale: MelScale) -> NDArray[np.float64]:
    """Return the frequencies in Hz of places on a mel scale."""
    if scale is MelScale.HTK:
        return np.asarray(700.0 * (10.0 ** (mel / 2595.0) - 1.0))
    above = _LOG_START_HZ * np.exp(_LOG_STEP * (np.maximum(mel, _LOG_START_MEL) - _LOG_START_MEL))
    return np.where(mel >= _LOG_START_MEL, above, mel * _HZ_PER_MEL)


def build_mel_weights(bands: MelBands, n_fft: int, rate: int) -> NDArray[np.float64]:
    """Return the weights float64 [n_fft // 2 + 1, n_mels] from bins to mel bands at `rate` Hz.

    Bands above half the sample rate are 0 where triangles are straight in Hz, as librosa and torchaudio leave them.
    Raises SpecInvalid for bands without a width, and for such bands straight in mel, which tf.signal and Kaldi refuse.
    """
    nyquist = rate // 2 if bands.whole_nyquist else rate / 2
    fmax = nyquist if bands.fmax is None else bands.fmax
    if bands.fmin >= min(fmax, rate / 2) or (fmax > rate / 2 and bands.edges == "mel"):
        raise SpecInvalid(
            f"The spec's mel bands reach from {bands.fmin:g} to {fmax:g} Hz; at {rate} Hz they must lie between 0 and "
            f"{rate / 2:g} Hz.",
            remedy="Correct `fmin` and `fmax`, or the sample rate, in the model's spec.",
        )
    bins = np.arange(n_fft // 2 + 1) * np.float64(rate / n_fft)
    if bands.whole_nyquist:
        bins = np.linspace(0.0, np.float64(nyquist), n_fft // 2 + 1)
    low, high = to_mel(np.array([bands.fmin, fmax]), bands.scale)
    mel_edges = np.linspace(low, high, bands.n_mels + 2)
    hertz_edges = to_hertz(mel_edges, bands.scale)
    if bands.edges == "mel":
        weights = _build_triangles(to_mel(bins, bands.scale), mel_edges)
    else:
        weights = _build_triangles(bins, hertz_edges)
    if bands.norm == "slaney":
        weights *= 2.0 / (hertz_edges[2:] - hertz_edges[:-2])
    return weights


def _build_triangles(bins: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    low, center, high = edges[:-2], edges[1:-1], edges[2:]
    bins = bins[:, None]
    return np.maximum(0.0, np.minimum((bins - low) / (center - low), (high - bins) / (high - center)))


class BandMatrix:
    """Multiplies spectra by a matrix of bands, each of which covers few neighboring bins."""

    def __init__(self, weights: NDArray[np.float64]) -> None:
        """Split `weights` [bins, bands] into groups of bands."""
        self.bands = weights.shape[1]
        self._groups: list[tuple[slice, slice, NDArray[np.float32]]] = []
        for start in range(0, self.bands, _GROUP):
            group = slice(start, min(start + _GROUP, self.bands))
            used = np.flatnonzero(weights[:, group].any(axis=1))
            bins = slice(int(used[0]), int(used[-1]) + 1) if len(used) else slice(0, 1)
            self._groups.append((bins, group, np.ascontiguousarray(weights[bins, group], np.float32)))

    def multiply(self, spectra: NDArray[np.float32], out: NDArray[np.float32]) -> None:
        """Write the bands float32 [frames, bands] of `spectra` float32 [frames, bins] to `out`."""
        for bins, group, weights in self._groups:
            np.matmul(spectra[:, bins], weights, out=out[:, group])
