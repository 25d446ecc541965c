"""Log filter banks as torchaudio.compliance.kaldi.fbank computes them with dither 0."""

import math

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from understudy.audio.features.sample_feature import SampleFeature
from understudy.audio.features.spectral.mel_filters import BandMatrix, build_mel_weights
from understudy.audio.features.spectral.stft import refuse_short
from understudy.audio.features.spectral.window_shapes import build_window
from understudy.errors import SpecInvalid
from understudy.schemas.front_end.parts import KaldiFilterbankPart
from understudy.schemas.front_end.spectrum import MelBands, MelScale

_FLOOR = np.finfo(np.float32).eps  # the smallest value that a logarithm is taken of
_BLOCK = 256  # frames


class KaldiFilterbank(SampleFeature):
    """Log filter banks; frames are filled up with zeros to the next power of two."""

    def __init__(self, part: KaldiFilterbankPart, rate: int) -> None:
        """Build the tables at `rate` Hz. Raises SpecInvalid when the part does not fit the rate."""
        self._part = part
        # The order of the factors decides how a half is rounded.
        self._frame = int(rate * part.frame_length_ms * 0.001)
        self._step = int(rate * part.frame_shift_ms * 0.001)
        if self._frame < 2 or self._step < 1:
            raise SpecInvalid(
                f"At {rate} Hz the spec's frames have {self._frame} samples and their shift {self._step}.",
                remedy="Correct `frame_length_ms` and `frame_shift_ms` in the model's spec.",
            )
        high = part.high_hz if part.high_hz > 0 else rate / 2 + part.high_hz
        if high <= part.low_hz:
            raise SpecInvalid(
                f"The spec's filters reach from {part.low_hz:g} to {high:g} Hz at {rate} Hz.",
                remedy="Correct `low_hz` and `high_hz`, or the sample rate, in the model's spec.",
            )
        bands = MelBands(n_mels=part.n_mels, fmin=part.low_hz, fmax=high, scale=MelScale.HTK, norm="none", edges="mel")
        self._n_fft = 2 ** math.ceil(math.log2(self._frame))
        self._matrix = BandMatrix(build_mel_weights(bands, self._n_fft, rate))
        self._window = build_window(part.window, self._frame, symmetric=True)

    def compute(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the features float32 [frames, n_mels]. Raises AudioUnusable when the clip is shorter than a frame."""
        if len(samples) < self._frame:
            raise refuse_short(len(samples), self._frame)
        signal = samples.astype(np.float64)
        if self._part.remove_mean:
            signal -= signal.mean()
        if self._part.scale_16_bit:
            signal *= 32768
        frames = self._cut(signal)
        features = np.empty((len(frames), self._matrix.bands), np.float32)
        for start in range(0, len(frames), _BLOCK):
            block = slice(start, min(start + _BLOCK, len(frames)))
            self._matrix.multiply(self._transform(frames[block]), features[block])
        np.maximum(features, _FLOOR, out=features)
        return np.log(features, out=features)

    def _cut(self, signal: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a view of the frames float64 [frames, samples]."""
        if self._part.snip_edges:
            return sliding_window_view(signal, self._frame)[:: self._step]
        count = (len(signal) + self._step // 2) // self._step
        before = self._frame // 2 - self._step // 2
        start = signal[:before][::-1] if before > 0 else signal[:0]
        whole = np.concatenate([start, signal[max(0, -before) :], signal[::-1]])
        return sliding_window_view(whole, self._frame)[:: self._step][:count]

    def _transform(self, frames: NDArray[np.float64]) -> NDArray[np.float32]:
        if self._part.remove_dc_offset:
            frames = frames - frames.mean(axis=1, keepdims=True)
        if self._part.preemphasis:
            before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
            frames = frames - self._part.preemphasis * before
        spectra = np.abs(scipy.fft.rfft(frames * self._window, self._n_fft, axis=1))
        return np.asarray(spectra**2 if self._part.use_power else spectra, np.float32)
