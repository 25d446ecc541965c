"""Mel bands, their logarithms, and mel-frequency cepstral coefficients (MFCC)."""

import numpy as np
from numpy.typing import NDArray

from understudy.audio.features.spectral.compression import compress, needs_double
from understudy.audio.features.spectral.dct import build_dct
from understudy.audio.features.spectral.deltas import append_deltas
from understudy.audio.features.spectral.mel_filters import BandMatrix, build_mel_weights
from understudy.audio.features.spectral.reduction import SpectralFeature
from understudy.audio.features.spectral.stft import Spectra
from understudy.errors import SpecInvalid
from understudy.schemas.front_end.parts import MelPart, MfccPart
from understudy.schemas.front_end.spectrum import Compression, Decibels, Linear, MelBands, Stft


class MelFeature(SpectralFeature):
    """Mel bands as librosa.feature.melspectrogram, torchaudio.transforms.MelSpectrogram and tf.signal compute them."""

    def __init__(self, stft: Stft, bands: MelBands, compression: Compression, rate: int) -> None:
        self._matrix = BandMatrix(build_mel_weights(bands, stft.n_fft, rate))
        self._power = stft.power
        self._compression = compression
        self.width = bands.n_mels
        self.double = needs_double(compression)

    @classmethod
    def from_part(cls, part: MelPart, rate: int) -> "MelFeature":
        """Build the feature of a spec's part at `rate` Hz. Raises SpecInvalid when its bands do not fit the rate."""
        default: Compression = Linear() if part.kind == "mel" else Decibels()
        return cls(part.stft, part.mel, part.compression or default, rate)

    def reduce(self, spectra: Spectra, out: NDArray[np.float32]) -> None:
        self._matrix.multiply(spectra.to_power(self._power), out)

    def finish(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        return compress(values, self._compression)


class MfccFeature(MelFeature):
    """MFCC as librosa.feature.mfcc, torchaudio.transforms.MFCC and tf.signal compute them, and their deltas."""

    def __init__(self, part: MfccPart, rate: int) -> None:
        """Build the tables at `rate` Hz. Raises SpecInvalid when the part does not fit the rate or itself."""
        super().__init__(part.stft, part.mel, part.compression, rate)
        if part.n_mfcc > part.mel.n_mels:
            raise SpecInvalid(
                f"The spec asks for {part.n_mfcc} MFCC of {part.mel.n_mels} mel bands.",
                remedy="Set `n_mfcc` to at most `n_mels` in the model's spec.",
            )
        dct = build_dct(part.mel.n_mels, part.n_mfcc, part.dct_norm)
        if part.lifter > 0:
            order = np.arange(1, part.n_mfcc + 1)
            dct *= 1 + part.lifter / 2 * np.sin(np.pi * order / part.lifter)
        self._dct = dct.astype(np.float32)
        self._deltas = part.deltas

    def finish(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        coefficients = super().finish(values) @ self._dct
        return append_deltas(coefficients, self._deltas) if self._deltas else coefficients
