"""The constant-Q transform: spectra whose bins are as far apart as the notes of a scale.

Source: librosa.cqt. The highest octave is computed from the samples; each lower one from samples at half the rate, with
filters of the same length.

In the silence after a sound the values are rounding noise, which chroma scale up to 1. The steps therefore have the
precision of librosa's.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft
import soxr
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from understudy.audio.features.spectral.stft import pad_centered
from understudy.audio.features.spectral.window_shapes import build_window
from understudy.errors import AudioUnusable, SpecInvalid
from understudy.schemas.front_end.spectrum import PadMode, WindowShape

_HANN_BANDWIDTH = 1.50018310546875  # of a window, in bins
_SPARSITY = 0.01  # the share of a filter's spectrum that is left out
_BLOCK_VALUES = 131_072


@dataclass(frozen=True)
class _Octave:
    """The filters of one octave: complex64 [used bins, bins_per_octave]."""

    n_fft: int
    used: slice
    filters: NDArray[np.complex64]


class ConstantQ:
    """Constant-Q spectra of clips at one rate, with filters for one tuning."""

    def __init__(self, rate: int, hop: int, fmin: float, octaves: int, bins_per_octave: int) -> None:
        """Build the filters of a transform of `octaves` octaves from `fmin` Hz upwards.

        Raises SpecInvalid when the highest filter reaches beyond half the sample rate.
        """
        steps = 2.0 ** (np.arange(bins_per_octave) / bins_per_octave)
        self._frequencies = fmin * np.multiply.outer(2.0 ** np.arange(octaves), steps).ravel()
        self._octaves = octaves
        self._per_octave = bins_per_octave
        logarithms = np.log2(self._frequencies)
        spacing = np.gradient(logarithms)
        self._bandwidths = (4.0**spacing - 1) / (4.0**spacing + 1)
        cutoff = float(np.max(self._frequencies * (1 + 0.5 * _HANN_BANDWIDTH * self._bandwidths)))
        if cutoff > rate / 2:
            raise SpecInvalid(
                f"The highest filter of the spec's constant-Q transform reaches {cutoff:.0f} Hz, above half the sample "
                f"rate {rate}.",
                remedy="Lower `n_octaves` or `fmin`, or raise the sample rate, in the model's spec.",
            )
        self._factor = 2 ** _count_early_halvings(rate / 2 / cutoff, hop, octaves)
        self._hop = hop // self._factor
        self._rate = rate / self._factor
        self._filters = self._build_filters()

    def compute(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the magnitudes float32 [frames, bins] of mono `samples` float32 [n].

        Raises AudioUnusable when the clip is too short to be brought to a lower rate.
        """
        if len(samples) < self._factor:
            raise AudioUnusable(
                f"The clip has {len(samples)} samples; the model's front end needs {self._factor}.",
                remedy="Send a longer recording.",
            )
        hop = self._hop
        if self._factor > 1:
            samples = _lower_rate(samples, self._factor)
        found = []
        for octave in self._filters:
            found.append(_filter(samples, hop, octave))
            if hop % 2 == 0:
                hop //= 2
                samples = _lower_rate(samples, 2)
        frames = min(len(values) for values in found)
        spectra = np.concatenate([values[:frames] for values in reversed(found)], axis=1)
        lengths = self._rate / self._frequencies / self._bandwidths
        return np.asarray(np.abs(spectra / np.sqrt(lengths).astype(np.float32)), np.float32)

    def _build_filters(self) -> list[_Octave]:
        """Return the filters of each octave, the highest first."""
        rate, hop, octaves = self._rate, self._hop, []
        for index in range(self._octaves):
            stop = len(self._frequencies) - index * self._per_octave
            place = slice(stop - self._per_octave, stop)
            scale = math.sqrt(self._rate / rate)
            octaves.append(_build_octave(self._frequencies[place], self._bandwidths[place], rate, scale))
            if hop % 2 == 0:
                hop //= 2
                rate /= 2
        return octaves


@lru_cache(maxsize=8)
def build_constant_q(rate: int, hop: int, fmin: float, octaves: int, bins_per_octave: int) -> ConstantQ:
    """Return a transform; those of the last tunings are kept, because building one takes some milliseconds."""
    return ConstantQ(rate, hop, fmin, octaves, bins_per_octave)


def _count_early_halvings(room: float, hop: int, octaves: int) -> int:
    """Return how often the rate is halved before the highest octave, for `room` times its cutoff below Nyquist."""
    by_room = max(0, math.ceil(math.log2(room)) - 2)
    twos = (hop & -hop).bit_length() - 1
    return min(by_room, max(0, twos - octaves + 1))


def _lower_rate(samples: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Return `samples` at 1 / factor of their rate, with the same energy."""
    length = -(-len(samples) // factor)
    lowered = soxr.resample(samples, factor, 1, quality="soxr_hq")[:length]
    lowered = np.pad(lowered, (0, length - len(lowered)))
    return np.asarray(lowered / np.sqrt(np.float64(1 / factor)), np.float32)


def _build_octave(
    frequencies: NDArray[np.float64], bandwidths: NDArray[np.float64], rate: float, scale: float
) -> _Octave:
    lengths = rate / frequencies / bandwidths
    n_fft = 2 ** math.ceil(math.log2(lengths.max()))
    basis = np.zeros((len(frequencies), n_fft), np.complex64)
    for row, frequency, length in zip(basis, frequencies, lengths, strict=True):
        times = np.arange(-length // 2, length // 2)
        angles = times * 2 * np.pi * frequency / rate
        wave = np.cos(angles) + 1j * np.sin(angles)
        wave *= build_window(WindowShape.HANN, len(times), symmetric=False)
        left = (n_fft - len(times)) // 2
        row[left : left + len(times)] = wave / np.abs(wave).sum()
    basis *= (lengths / n_fft)[:, None]
    spectra = _leave_out_small(scipy.fft.fft(basis, axis=1)[:, : n_fft // 2 + 1])
    bins = np.flatnonzero(spectra.any(axis=0))
    used = slice(int(bins[0]), int(bins[-1]) + 1)
    return _Octave(n_fft, used, np.ascontiguousarray(spectra[:, used].T * np.float64(scale), np.complex64))


def _leave_out_small(spectra: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """Set the smallest values of each row to 0: those that make up less than a hundredth of its sum."""
    sizes = np.abs(spectra)
    ordered = np.sort(sizes, axis=1)
    shares = np.cumsum(ordered / sizes.sum(axis=1, keepdims=True), axis=1)
    first = np.argmin(shares < _SPARSITY, axis=1)
    least = np.take_along_axis(ordered, first[:, None], axis=1)
    return np.where(sizes >= least, spectra, 0)


def _filter(samples: NDArray[np.float32], hop: int, octave: _Octave) -> NDArray[np.complex64]:
    """Return one octave of spectra, complex64 [frames, bins_per_octave]."""
    padded = pad_centered(samples, octave.n_fft, PadMode.CONSTANT)
    frames = sliding_window_view(padded, octave.n_fft)[::hop]
    found = np.empty((len(frames), octave.filters.shape[1]), np.complex64)
    block = max(1, _BLOCK_VALUES // octave.n_fft)
    for start in range(0, len(frames), block):
        spectra = scipy.fft.rfft(frames[start : start + block].astype(np.float64), axis=1)
        np.matmul(spectra[:, octave.used].astype(np.complex64), octave.filters, out=found[start : start + block])
    return found
