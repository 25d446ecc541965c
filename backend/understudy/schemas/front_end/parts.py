"""The features that a front end computes; a spec lists one part or several, whose features are joined in order.

Every part gives an array float32 [frames, features].
"""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, field_validator, model_validator

from understudy.schemas.front_end.pooling import Statistic
from understudy.schemas.front_end.spectrum import (
    Compression,
    DctNorm,
    Decibels,
    FftSize,
    Linear,
    MelBands,
    Stft,
    WindowShape,
)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    pooling: tuple[Statistic, ...] | None = Field(
        default=None, description="Statistics over time of this part alone; null: those of the spec"
    )


class WaveformPart(_Part):
    """The samples. Only alone."""

    kind: Literal["waveform"] = "waveform"


class YamnetOutput(StrEnum):
    PATCHES = "patches"
    EMBEDDING = "embedding"
    SCORES = "scores"


class YamnetPart(_Part):
    """YAMNet's patches [n, 96, 64], embeddings [n, 1024] or scores [n, 521]. Only alone."""

    kind: Literal["yamnet"] = "yamnet"
    output: YamnetOutput = YamnetOutput.EMBEDDING


class StftPart(_Part):
    """The spectrum, [frames, n_fft / 2 + 1]."""

    kind: Literal["stft"] = "stft"
    stft: Stft = Stft()
    compression: Compression = Linear()


class MelPart(_Part):
    """Mel bands, [frames, n_mels]: `mel` as they are, `log_mel` as logarithms."""

    kind: Literal["mel", "log_mel"]
    stft: Stft = Stft()
    mel: MelBands = MelBands()
    compression: Compression | None = Field(
        default=None, description="null: none for `mel`, decibels as librosa.power_to_db(ref=1) for `log_mel`"
    )


class Deltas(BaseModel):
    """Differences over time as librosa.feature.delta computes them (Savitzky-Golay)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    orders: tuple[Literal[1, 2], ...] = (1,)
    width: int = Field(default=9, ge=3, le=255)
    mode: Literal["interp", "nearest"] = "interp"

    @field_validator("width")
    @classmethod
    def _odd(cls, width: int) -> int:
        if width % 2 == 0:
            raise ValueError(f"width {width} is even; a window of differences has a middle frame")
        return width


class MfccPart(_Part):
    """Mel-frequency cepstral coefficients, [frames, n_mfcc], followed by their deltas where asked for."""

    kind: Literal["mfcc"] = "mfcc"
    stft: Stft = Stft()
    mel: MelBands = MelBands()
    compression: Compression = Decibels()
    n_mfcc: int = Field(default=20, ge=1, le=1024)
    dct_norm: DctNorm = DctNorm.ORTHO
    lifter: float = Field(default=0.0, ge=0, description="librosa's sinusoidal liftering; 0: none")
    deltas: Deltas | None = None


class SpeechFeaturesPart(_Part):
    """MFCC or log filter banks as the package python_speech_features computes them, [frames, features]."""

    kind: Literal["speech_mfcc", "speech_log_filterbank"]
    window_seconds: float = Field(default=0.025, gt=0, le=10)
    step_seconds: float = Field(default=0.01, gt=0, le=10)
    n_mfcc: int = Field(default=13, ge=1, le=1024, description="numcep")
    n_filters: int = Field(default=26, ge=1, le=1024, description="nfilt")
    n_fft: FftSize | None = Field(
        default=512, description="Longer frames are cut off; null: the next power of two of the frame's samples"
    )
    low_hz: FiniteFloat = Field(default=0.0, ge=0)
    high_hz: FiniteFloat | None = Field(default=None, gt=0)
    preemphasis: float = Field(default=0.97, ge=0, lt=1)
    lifter: int = Field(default=22, ge=0, description="ceplifter")
    append_energy: bool = Field(default=True, description="The first coefficient is the logarithm of the energy")
    window: WindowShape = Field(default=WindowShape.RECTANGULAR, description="Symmetric, as numpy's windows are")
    deltas: tuple[Literal[1, 2], ...] = Field(
        default=(), description="Orders of the package's `delta` that follow the features; 2 is the delta of the delta"
    )
    delta_frames: int = Field(default=2, ge=1, le=100, description="Frames on each side of a delta")
    scale_16_bit: bool = Field(default=True, description="Samples are multiplied by 32768, as scipy.io.wavfile reads")


class KaldiFilterbankPart(_Part):
    """Log filter banks as torchaudio.compliance.kaldi.fbank computes them with dither 0, [frames, n_mels]."""

    kind: Literal["kaldi_fbank"] = "kaldi_fbank"
    frame_length_ms: float = Field(default=25.0, gt=0, le=1000)
    frame_shift_ms: float = Field(default=10.0, gt=0, le=1000)
    n_mels: int = Field(default=23, ge=4, le=1024)
    low_hz: FiniteFloat = Field(default=20.0, ge=0)
    high_hz: FiniteFloat = Field(default=0.0, description="0: half the sample rate; negative: counted from there")
    window: WindowShape = WindowShape.POVEY
    preemphasis: float = Field(default=0.97, ge=0, lt=1)
    remove_dc_offset: bool = True
    use_power: bool = True
    snip_edges: bool = True
    remove_mean: bool = Field(default=False, description="The mean of the samples is subtracted first, as AST does")
    scale_16_bit: bool = Field(default=False, description="Samples are multiplied by 32768 first, as BEATs does")


class ChromaPart(_Part):
    """librosa.feature.chroma_stft, [frames, n_chroma]."""

    kind: Literal["chroma"] = "chroma"
    stft: Stft = Stft()
    n_chroma: int = Field(default=12, ge=2, le=120)
    tuning: FiniteFloat | None = Field(default=None, description="Fractions of a bin; null: estimated from the clip")
    norm: Literal["max", "none"] = "max"


class ChromaCqtPart(_Part):
    """librosa.feature.chroma_cqt, [frames, n_chroma], from a constant-Q transform."""

    kind: Literal["chroma_cqt"] = "chroma_cqt"
    hop_length: int = Field(default=512, ge=1, le=1_000_000)
    fmin: FiniteFloat | None = Field(default=None, gt=0, description="Hz of the lowest bin; null: C1, 32.7 Hz")
    n_chroma: int = Field(default=12, ge=2, le=120)
    n_octaves: int = Field(default=7, ge=1, le=12)
    bins_per_octave: int = Field(default=36, ge=2, le=360)
    tuning: FiniteFloat | None = Field(default=None, description="Fractions of a bin; null: estimated from the clip")
    norm: Literal["max", "none"] = "max"

    @model_validator(mode="after")
    def _whole_bins(self) -> Self:
        if self.bins_per_octave % self.n_chroma:
            raise ValueError(f"bins_per_octave {self.bins_per_octave} is no multiple of n_chroma {self.n_chroma}")
        return self


class ContrastPart(_Part):
    """librosa.feature.spectral_contrast, [frames, n_bands + 1]."""

    kind: Literal["contrast"] = "contrast"
    stft: Stft = Stft(power=1.0)
    fmin: FiniteFloat = Field(default=200.0, gt=0)
    n_bands: int = Field(default=6, ge=1, le=20)
    quantile: float = Field(default=0.02, gt=0, lt=1)
    linear: bool = Field(default=False, description="The difference of peak and valley, not of their decibels")


class TonnetzPart(_Part):
    """librosa.feature.tonnetz, [frames, 6], from chroma_cqt (its default) or chroma_stft."""

    kind: Literal["tonnetz"] = "tonnetz"
    chroma: Annotated[ChromaPart | ChromaCqtPart, Field(discriminator="kind")] = ChromaCqtPart()
    harmonic: bool = Field(
        default=False, description="librosa.effects.harmonic removes the percussive part of the samples first"
    )


class FrameValuePart(_Part):
    """One value a frame as the function of the same name in librosa.feature computes it, [frames, 1].

    zero_crossing_rate and rms take frames of n_fft samples without a window. zero_crossing_rate repeats the first and
    the last sample where frames are centered, whatever `pad_mode` is.
    """

    kind: Literal[
        "zero_crossing_rate",
        "rms",
        "spectral_centroid",
        "spectral_bandwidth",
        "spectral_rolloff",
        "spectral_flatness",
    ]
    stft: Stft = Stft(power=1.0)
    roll_percent: float = Field(default=0.85, gt=0, lt=1, description="spectral_rolloff")
    amin: float = Field(default=1e-10, gt=0, description="spectral_flatness")


FrontEndPart = Annotated[
    WaveformPart
    | YamnetPart
    | StftPart
    | MelPart
    | MfccPart
    | SpeechFeaturesPart
    | KaldiFilterbankPart
    | ChromaPart
    | ChromaCqtPart
    | ContrastPart
    | TonnetzPart
    | FrameValuePart,
    Field(discriminator="kind"),
]
