"""Remove the percussive part of a clip, as librosa.effects.harmonic does.

A sound that lasts is a horizontal line in a spectrogram, a stroke a vertical one. The median over time keeps the first,
the median over frequency the second. Source: D. Fitzgerald, Harmonic/percussive separation using median filtering
(2010).

Where a clip is silent its harmonic part is rounding noise, which chroma scale up to 1. The steps therefore have the
precision of librosa's.
"""

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from understudy.audio.features.spectral.stft import pad_centered
from understudy.audio.features.spectral.window_shapes import build_window
from understudy.schemas.front_end.spectrum import PadMode, WindowShape

_N_FFT = 2048
_HOP = 512
_MEDIAN = 31
_BLOCK = 32  # frames


def extract_harmonic(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the harmonic part float32 [n] of mono `samples` float32 [n]."""
    window = build_window(WindowShape.HANN, _N_FFT, symmetric=False)
    frames = sliding_window_view(pad_centered(samples, _N_FFT, PadMode.CONSTANT), _N_FFT)[::_HOP]
    spectra = np.empty((len(frames), _N_FFT // 2 + 1), np.complex64)
    for start in range(0, len(frames), _BLOCK):
        spectra[start : start + _BLOCK] = scipy.fft.rfft(frames[start : start + _BLOCK] * window, axis=1)
    sizes = np.abs(spectra)
    nonzero = np.where(sizes == 0, np.float32(1), sizes)
    harmonic = sizes * _build_mask(sizes)
    spectra.real = spectra.real / nonzero * harmonic
    spectra.imag = spectra.imag / nonzero * harmonic
    return _overlap(spectra, window, len(samples))


def _build_mask(sizes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the share of the harmonic part in each bin, float32 [frames, bins]: that of the squared medians."""
    harmonic = _filter_median(sizes.T).T
    percussive = _filter_median(sizes)
    larger = np.maximum(harmonic, percussive)
    empty = larger < np.finfo(np.float32).tiny
    larger[empty] = 1
    harmonic = np.square(harmonic / larger)
    percussive = np.square(percussive / larger)
    total = np.where(empty, np.float32(1), harmonic + percussive)
    return np.where(empty, np.float32(0.5), harmonic / total)


def _filter_median(sizes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the running median over the last axis of `sizes` [rows, n]; the ends are mirrored."""
    side = _MEDIAN // 2
    padded = np.pad(sizes, ((0, 0), (side, side)), mode="symmetric")
    found = np.empty_like(sizes)
    for start in range(0, len(sizes), _BLOCK):
        places = sliding_window_view(padded[start : start + _BLOCK], _MEDIAN, axis=1)
        found[start : start + _BLOCK] = np.partition(places, side, axis=2)[:, :, side]
    return found


def _overlap(spectra: NDArray[np.complex64], window: NDArray[np.float64], length: int) -> NDArray[np.float32]:
    """Return the samples float32 [length] whose windowed frames have these spectra (inverse transform)."""
    total = np.zeros((len(spectra) - 1) * _HOP + _N_FFT, np.float32)
    weight = np.zeros_like(total)
    square = window**2
    for start in range(0, len(spectra), _BLOCK):
        frames = scipy.fft.irfft(spectra[start : start + _BLOCK], n=_N_FFT, axis=1) * window
        for index, frame in enumerate(frames, start=start):
            place = slice(index * _HOP, index * _HOP + _N_FFT)
            total[place] += frame
            weight[place] += square
    used = weight > np.finfo(np.float32).tiny
    total[used] /= weight[used]
    samples = total[_N_FFT // 2 : _N_FFT // 2 + length]
    return np.pad(samples, (0, length - len(samples)))
