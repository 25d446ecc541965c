"""Estimate how far a clip is tuned from A = 440 Hz, as librosa.estimate_tuning does.

The estimate is the fullest bin of a histogram, so that the last bit of a spectrum can decide. Each step therefore has
librosa's precision.
"""

import numpy as np
from numpy.typing import NDArray

_LOW_HZ = 150.0
_HIGH_HZ = 4000.0
_THRESHOLD = 0.1  # of a frame's maximum
_BINS = np.linspace(-0.5, 0.5, 101)
_A_HZ = 440.0


def estimate_tuning(spectra: NDArray[np.float32], rate: int, bins_per_octave: int) -> float:
    """Return the deviation in fractions of a bin, -0.5 to 0.5, from spectra float32 [frames, bins] at `rate` Hz."""
    pitches, heights = find_pitches(spectra, rate)
    if len(pitches) == 0:
        return 0.0
    pitches = pitches[heights >= np.median(heights)]
    octaves = np.log2(pitches / (_A_HZ / 16))
    residual = np.mod(bins_per_octave * octaves, 1.0)
    residual[residual >= 0.5] -= 1.0
    counts, edges = np.histogram(residual, _BINS)
    return float(edges[np.argmax(counts)])


def find_pitches(spectra: NDArray[np.float32], rate: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the frequencies in Hz and the heights of the peaks of all frames, as librosa.piptrack finds them.

    A peak is refined by the parabola through it and its neighbors.
    """
    n_fft = 2 * (spectra.shape[1] - 1)
    frequencies = np.fft.rfftfreq(n_fft, 1 / rate)
    inside = (frequencies >= _LOW_HZ) & (frequencies < min(_HIGH_HZ, rate / 2))
    loud = np.where(spectra > np.float32(_THRESHOLD) * spectra.max(axis=1, keepdims=True), spectra, np.float32(0))
    peaks = np.zeros(spectra.shape, bool)
    peaks[:, 1:-1] = (loud[:, 1:-1] > loud[:, :-2]) & (loud[:, 1:-1] >= loud[:, 2:])
    frames, places = np.nonzero(peaks & inside)
    before, height, after = (spectra[frames, places + step].astype(np.float64) for step in (-1, 0, 1))
    curvature = after + before - 2 * height
    slope = (after - before) / 2
    flat = np.abs(slope) >= np.abs(curvature)
    shift = np.where(flat, 0.0, -slope / np.where(flat, 1.0, curvature)).astype(np.float32)
    pitches = ((places + shift) * float(rate) / n_fft).astype(np.float32)
    heights = height.astype(np.float32) + np.float32(0.5) * slope.astype(np.float32) * shift
    known = pitches > 0
    return pitches[known], heights[known]
