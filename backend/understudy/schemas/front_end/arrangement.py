"""The way from features over time to the array that the model takes."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from understudy.schemas.front_end.sound import Side

Value = Annotated[float, Field(allow_inf_nan=False)]
MAX_VALUES = 100_000


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ScalarStandardization(_Part):
    """(x - mean) / std with one mean and one std for all values."""

    kind: Literal["scalar"] = "scalar"
    mean: FiniteFloat = 0.0
    std: FiniteFloat = Field(default=1.0, gt=0)


class FeatureStandardization(_Part):
    """(x - mean) / std with a mean and a std for each feature, as scikit-learn's StandardScaler has them.

    `file` names a JSON or npz file with `mean` and `std` beside the model; registration reads it into the spec.
    """

    kind: Literal["per_feature"] = "per_feature"
    mean: tuple[Value, ...] = Field(default=(), max_length=MAX_VALUES)
    std: tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...] = Field(default=(), max_length=MAX_VALUES)
    file: str | None = Field(default=None, max_length=500)

    @model_validator(mode="after")
    def _numbers_or_file(self) -> Self:
        if (self.file is None) == (not self.mean):
            raise ValueError("per_feature needs either `mean` and `std` or `file`")
        if len(self.mean) != len(self.std):
            raise ValueError(f"{len(self.mean)} means and {len(self.std)} stds")
        return self


class ClipStandardization(_Part):
    """(x - mean) / (std + epsilon) with the clip's own mean and std: of all values, or of each feature over time."""

    kind: Literal["per_clip"] = "per_clip"
    over: Literal["all", "time"] = "all"
    mean: bool = True
    std: bool = True
    epsilon: float = Field(default=0.0, ge=0, description="Added to std; where the sum is 0 the values become 0")


class RangeStandardization(_Part):
    """Maps the clip's own minimum to `low` and its maximum to `high`; a clip of one value becomes `low`."""

    kind: Literal["min_max"] = "min_max"
    low: FiniteFloat = 0.0
    high: FiniteFloat = 1.0


Standardization = Annotated[
    ScalarStandardization | FeatureStandardization | ClipStandardization | RangeStandardization,
    Field(discriminator="kind"),
]


class Frames(_Part):
    """A fixed number of frames."""

    count: int = Field(ge=1, le=1_000_000)
    pad: Side = Side.END
    value: FiniteFloat | Literal["minimum"] = Field(default=0.0, description="`minimum`: the clip's smallest value")
    cut: Side = Side.END


class Axes(StrEnum):
    TIME_FIRST = "time_first"  # [frames, features]
    FEATURES_FIRST = "features_first"  # [features, frames], as librosa returns


class Layout(_Part):
    """Order of the axes and added axes of size 1; the batch axis comes in front of all."""

    axes: Axes = Axes.TIME_FIRST
    channel: Literal["none", "first", "last"] = "none"
    flatten: bool = Field(default=False, description="One vector in the order of the axes")


class Colors(StrEnum):
    GREY = "grey"
    VIRIDIS = "viridis"
    MAGMA = "magma"
    JET = "jet"


class Picture(_Part):
    """The features as a picture: scaled to 0..1 between their minimum and maximum, colored, resized.

    The result is float32 [height, width, channels], times `scale`; features are rows, time runs to the right.
    """

    height: int = Field(ge=1, le=4096)
    width: int = Field(ge=1, le=4096)
    channels: Literal[1, 3] = 3
    colors: Colors = Colors.GREY
    low_at_bottom: bool = Field(default=True, description="The first feature is the lowest row")
    resize: Literal["nearest", "bilinear"] = "bilinear"
    scale: float = Field(default=1.0, gt=0, le=255)
    channels_first: bool = False


class Arrangement(_Part):
    """Steps from joined features to the model's input, applied in the order of the fields."""

    standardize_before: Standardization | None = None
    frames: Frames | None = None
    standardize: Standardization | None = None
    picture: Picture | None = None
    layout: Layout = Layout()
