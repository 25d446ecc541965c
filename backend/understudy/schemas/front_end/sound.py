"""The way from a recording to the samples that features are computed from."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

LONGEST_SECONDS = 86_400.0

Seconds = Annotated[float, Field(gt=0, le=LONGEST_SECONDS)]


class Resampler(StrEnum):
    """The algorithm that converts a recording to the model's sample rate."""

    SOXR_HQ = "soxr_hq"  # librosa.load since 0.10, and this server's own
    KAISER_BEST = "kaiser_best"  # resampy 0.4: res_type="kaiser_best" of librosa since 0.10
    KAISER_FAST = "kaiser_fast"
    KAISER_BEST_RESAMPY_2 = "kaiser_best_resampy_2"  # resampy 0.2: librosa.load up to 0.9 where the package is as old
    KAISER_FAST_RESAMPY_2 = "kaiser_fast_resampy_2"
    POLYPHASE = "polyphase"  # scipy.signal.resample_poly
    FOURIER = "fourier"  # scipy.signal.resample to round(n * target / rate) samples, as YAMNet's tutorial
    FOURIER_LIBROSA = "fourier_librosa"  # the same to ceil(n * target / rate) samples: librosa's "scipy" and "fft"
    LINEAR = "linear"  # numpy.interp at arange(int(n * target / rate)) * rate / target
    LINEAR_ENDS = "linear_ends"  # numpy.interp at linspace(0, n - 1, int(n * target / rate))
    TFIO = "tfio"  # tfio.audio.resample, as TensorFlow's tutorial of transfer learning with YAMNet
    TORCHAUDIO = "torchaudio"  # torchaudio.functional.resample with its defaults


class Channels(StrEnum):
    """The way from several channels to one."""

    AUTO = "auto"  # the mean, or the louder channel where the channels cancel each other
    MEAN = "mean"
    FIRST = "first"


class Side(StrEnum):
    """The place where a signal is extended or cut; `center` extends or cuts both ends by half."""

    START = "start"
    END = "end"
    CENTER = "center"


class Filling(StrEnum):
    """The values that extend a signal."""

    ZEROS = "zeros"
    REPEAT = "repeat"  # the signal again, as numpy.pad's "wrap" and numpy.tile give it
    REFLECT = "reflect"  # mirrored, without its first or last value twice
    EDGE = "edge"


class Gain(StrEnum):
    """The level that the samples are brought to."""

    NONE = "none"
    PEAK = "peak"  # largest magnitude
    RMS = "rms"  # root of the mean square


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Length(_Part):
    """A fixed length of the clip, given in seconds or in samples; seconds give int(sample rate * seconds) samples."""

    seconds: Seconds | None = None
    samples: int | None = Field(default=None, ge=1, le=100_000_000)
    pad: Side | None = Field(default=Side.END, description="Where a shorter clip is extended; null: it stays short")
    fill: Filling = Filling.ZEROS
    cut: Side | None = Field(default=Side.END, description="Where a longer clip is cut; null: it stays long")

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        if (self.seconds is None) == (self.samples is None):
            raise ValueError("a length needs either `seconds` or `samples`")
        return self


class Trim(_Part):
    """Removal of quiet ends, as librosa.effects.trim removes them."""

    top_db: float = Field(default=60.0, gt=0, description="Decibels below the loudest frame that count as quiet")
    frame_length: int = Field(default=2048, ge=1, le=1_000_000)
    hop_length: int = Field(default=512, ge=1, le=1_000_000)


class Sound(_Part):
    """Steps from the recording to its samples, applied in the order of the fields."""

    offset: float = Field(default=0.0, ge=0, le=LONGEST_SECONDS, description="Seconds that are cut from the start")
    duration: Seconds | None = Field(default=None, description="Seconds that are kept after `offset`")
    channels: Channels = Channels.AUTO
    round_to_16_bit: bool = Field(
        default=False, description="Samples are rounded to multiples of 1/32768 first, as FFmpeg and pydub do"
    )
    resampler: Resampler = Resampler.SOXR_HQ
    trim: Trim | None = None
    gain: Gain = Gain.NONE
    gain_level: FiniteFloat = Field(default=1.0, gt=0, description="The peak or RMS that the clip gets")
    length: Length | None = None

    @property
    def streams(self) -> bool:
        """True when each step needs no more than the samples so far."""
        plain = Sound(channels=self.channels, round_to_16_bit=self.round_to_16_bit)
        return self == plain
