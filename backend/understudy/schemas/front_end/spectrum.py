"""Parameters of spectra: framing, window, mel bands and logarithm."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

MAX_FFT = 65_536

FftSize = Annotated[int, Field(ge=2, le=MAX_FFT)]


class WindowShape(StrEnum):
    """The window that each frame is multiplied with."""

    HANN = "hann"
    HAMMING = "hamming"
    BLACKMAN = "blackman"
    POVEY = "povey"  # Kaldi: hann to the power of 0.85
    RECTANGULAR = "rectangular"


class PadMode(StrEnum):
    """The values before and after the signal when frames are centered."""

    CONSTANT = "constant"
    REFLECT = "reflect"
    EDGE = "edge"


class MelScale(StrEnum):
    HTK = "htk"
    SLANEY = "slaney"


class DctNorm(StrEnum):
    """The factors of the discrete cosine transform (type 2)."""

    ORTHO = "ortho"  # orthonormal: librosa, torchaudio
    NONE = "none"  # twice the sum, as scipy computes it
    HTK = "htk"  # sqrt(2 / n) for all coefficients: tf.signal


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Stft(_Part):
    """Short-time Fourier transform; values are |DFT| to the power of `power`, with n_fft / 2 + 1 bins."""

    n_fft: FftSize = 2048
    win_length: FftSize | None = Field(default=None, description="Samples of the window; null: n_fft")
    hop_length: int | None = Field(default=None, ge=1, le=1_000_000, description="null: a quarter of the window")
    window: WindowShape = WindowShape.HANN
    symmetric: bool = Field(
        default=False,
        description="The window's last value equals its first; tf.signal's windows of an odd length are symmetric",
    )
    align: Literal["center", "start"] = Field(
        default="center",
        description="A window shorter than n_fft: `center` cuts frames of n_fft and centers the window in them "
        "(librosa, torch), `start` cuts frames of win_length and fills them up with zeros (tf.signal, Kaldi)",
    )
    center: bool = Field(default=True, description="Frame t is centered at sample t * hop_length")
    pad_mode: PadMode = PadMode.CONSTANT
    power: float = Field(default=2.0, gt=0, le=4)
    pad_end: bool = Field(default=False, description="tf.signal: the end is filled up to a whole frame with zeros")

    @property
    def window_samples(self) -> int:
        return self.n_fft if self.win_length is None else self.win_length

    @property
    def hop_samples(self) -> int:
        return max(1, self.window_samples // 4) if self.hop_length is None else self.hop_length

    @model_validator(mode="after")
    def _window_in_frame(self) -> Self:
        if self.window_samples > self.n_fft:
            raise ValueError(f"win_length {self.win_length} is longer than n_fft {self.n_fft}")
        return self


class Decibels(_Part):
    """10 log10(max(x, amin) / ref) for powers, 20 log10 for magnitudes; `top_db` counts from the clip's maximum."""

    kind: Literal["decibels"] = "decibels"
    of: Literal["power", "magnitude"] = "power"
    ref: Annotated[float, Field(gt=0)] | Literal["max"] = 1.0
    amin: float = Field(default=1e-10, gt=0)
    top_db: float | None = Field(default=80.0, gt=0)


class Logarithm(_Part):
    """log(max(x, floor) + offset) to the base e, 10 or 2."""

    kind: Literal["log"] = "log"
    offset: float = Field(default=0.0, ge=0)
    floor: float = Field(default=0.0, ge=0)
    base: Literal["e", "10", "2"] = "e"

    @model_validator(mode="after")
    def _finite(self) -> Self:
        if self.offset == 0 and self.floor == 0:
            raise ValueError("a logarithm of silence is infinite: give `offset` or `floor`")
        return self


class Linear(_Part):
    """The values as they are."""

    kind: Literal["linear"] = "linear"


Compression = Annotated[Decibels | Logarithm | Linear, Field(discriminator="kind")]


class MelBands(_Part):
    """Triangular mel bands over the bins of a Stft."""

    n_mels: int = Field(default=128, ge=1, le=1024)
    fmin: FiniteFloat = Field(default=0.0, ge=0, description="Hz")
    fmax: FiniteFloat | None = Field(default=None, gt=0, description="Hz; null: half the sample rate")
    scale: MelScale = MelScale.SLANEY
    norm: Literal["slaney", "none"] = "slaney"
    edges: Literal["hertz", "mel"] = Field(
        default="hertz", description="Triangles are straight in Hz (librosa, torchaudio) or in mel (tf.signal)"
    )
    whole_nyquist: bool = Field(
        default=False, description="Half of an odd sample rate is rounded down, as torchaudio does: 5512 at 11025 Hz"
    )
