"""Compute short-time spectra in blocks of frames.

Sources: librosa.stft, torch.stft (frames of n_fft samples, a shorter window lies in their middle) and tf.signal.stft
(frames of win_length samples, filled up with zeros to n_fft).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from understudy.audio.features.spectral.window_shapes import build_window
from understudy.errors import AudioUnusable
from understudy.schemas.front_end.spectrum import PadMode, Stft

# Values of one block, so that its spectra stay in the processor's cache: 64 frames of 2048 samples.
_BLOCK_VALUES = 131_072


class Spectra:
    """The spectra of a block of frames."""

    def __init__(self, spectrum: NDArray[Any]) -> None:
        """Hold the DFT `spectrum`, complex64 or complex128 [frames, bins].

        From complex128 the values are rounded in the same steps as librosa's, because some features take the place of
        a maximum or of a threshold, where the last bit decides.
        """
        self._raised: dict[float, NDArray[np.float32]] = {}
        if spectrum.dtype == np.complex128:
            self._raised[1.0] = np.abs(spectrum.astype(np.complex64))
            self._raised[2.0] = np.square(self._raised[1.0])
        else:
            power = np.square(spectrum.real)
            power += np.square(spectrum.imag)
            self._raised[2.0] = power

    def to_power(self, exponent: float) -> NDArray[np.float32]:
        """Return |DFT| ** exponent, float32 [frames, bins]. The caller must not change it."""
        if exponent not in self._raised:
            power = self._raised[2.0]
            self._raised[exponent] = np.sqrt(power) if exponent == 1.0 else power ** (exponent / 2)
        return self._raised[exponent]


class ShortTimeTransform:
    """Cuts samples into frames and transforms them; the window is computed once."""

    def __init__(self, stft: Stft, *, double: bool) -> None:
        """Prepare the window of `stft`.

        With `double` the transform runs in float64. In float32 the rounding noise of a loud tone is about 160 dB below
        it: too much for the logarithm of quieter bands, and more than enough for decibels that end 80 dB below the
        maximum.
        """
        self._stft = stft
        self._type: type[np.floating[Any]] = np.float64 if double else np.float32
        window = stft.window_samples
        self._left = (stft.n_fft - window) // 2 if stft.align == "center" else 0
        self._window = build_window(stft.window, window, symmetric=stft.symmetric).astype(self._type)
        self.frame_samples = stft.n_fft if stft.align == "center" else window
        self.bins = stft.n_fft // 2 + 1

    def count_frames(self, samples: int) -> int:
        """Return the number of frames of a clip of `samples` samples; 0 when it is too short for one."""
        if samples == 0:
            return 0
        if self._stft.center:
            samples += 2 * (self.frame_samples // 2)
        hop = self._stft.hop_samples
        if self._stft.pad_end:
            return -(-samples // hop)
        return max(0, (samples - self.frame_samples) // hop + 1)

    def transform(self, samples: NDArray[np.float32]) -> Iterator[tuple[slice, Spectra]]:
        """Yield the frames' places and spectra, block by block, from mono `samples` float32 [n].

        Raises AudioUnusable when the clip is too short for one frame.
        """
        count = self.count_frames(len(samples))
        if count == 0:
            raise refuse_short(len(samples), self.frame_samples)
        hop, left, window = self._stft.hop_samples, self._left, self._window
        inner = slice(left, left + len(window))
        frames = sliding_window_view(self._extend(samples, count), self.frame_samples)[::hop][:, inner]
        block = max(1, _BLOCK_VALUES // self._stft.n_fft)
        buffer = np.zeros((min(block, count), self._stft.n_fft), self._type)
        for start in range(0, count, block):
            place = slice(start, min(start + block, count))
            windowed = buffer[: place.stop - place.start]
            np.multiply(frames[place], window, out=windowed[:, inner])
            yield place, Spectra(scipy.fft.rfft(windowed, axis=1))

    def _extend(self, samples: NDArray[np.float32], count: int) -> NDArray[np.float32]:
        """Return `samples` with the values that the first and the last frames need around them."""
        if self._stft.center:
            samples = pad_centered(samples, self.frame_samples, self._stft.pad_mode)
        missing = (count - 1) * self._stft.hop_samples + self.frame_samples - len(samples)
        return np.pad(samples, (0, missing)) if missing > 0 else samples


def refuse_short(samples: int, needed: int) -> AudioUnusable:
    """Return the error for a clip that is too short for one frame."""
    return AudioUnusable(
        f"The clip has {samples} samples; the model's front end needs {needed}.", remedy="Send a longer recording."
    )


def pad_centered(samples: NDArray[np.float32], frame: int, mode: PadMode) -> NDArray[np.float32]:
    """Return `samples` with half a frame before and after them, as librosa pads centered frames."""
    side = frame // 2
    if mode is PadMode.CONSTANT:
        padded = np.zeros(len(samples) + 2 * side, samples.dtype)
        padded[side : side + len(samples)] = samples
        return padded
    return np.pad(samples, side, mode="reflect" if mode is PadMode.REFLECT else "edge")
