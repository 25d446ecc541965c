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

    With `over` "value" there is one for each value of [frames, features], in the order of the layout's axes, as a
    scaler has them that was fitted to flattened features. `file` names a JSON or npz file with `mean` and `std` beside
    the model; registration reads it into the spec.
    """

    kind: Literal["per_feature"] = "per_feature"
    over: Literal["feature", "value"] = "feature"
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
    unbiased: bool = Field(default=False, description="The variance is divided by n - 1, as torch.std computes it")
    epsilon: float = Field(default=0.0, ge=0, description="Added to std; where the sum is 0 the values become 0")
    epsilon_in_root: bool = Field(
        default=False, description="`epsilon` is added to the variance: (x - mean) / sqrt(variance + epsilon)"
    )


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
    """The order of the axes."""

    TIME_FIRST = "time_first"  # [frames, features]
    FEATURES_FIRST = "features_first"  # [features, frames], as librosa returns


class Layout(_Part):
    """Order of the axes and added axes of size 1; the batch axis comes in front of all."""

    axes: Axes = Axes.TIME_FIRST
    channel: Literal["none", "first", "last"] = "none"
    flatten: bool = Field(default=False, description="One vector in the order of the axes")
    shape: tuple[Annotated[int, Field(ge=1, le=1_000_000)], ...] | None = Field(
        default=None,
        min_length=1,
        max_length=6,
        description="The values in the order of the axes get this shape last, as numpy.reshape gives it",
    )


class Colors(StrEnum):
    """The colors of a picture's values: grey, or a color map of matplotlib with 256 colors."""

    GREY = "grey"
    VIRIDIS = "viridis"
    MAGMA = "magma"
    JET = "jet"


class Resize(StrEnum):
    """The algorithm that resizes a picture."""

    NEAREST = "nearest"  # tf.image.resize and PIL's NEAREST; cv2.INTER_NEAREST takes other pixels
    BILINEAR = "bilinear"  # tf.image.resize, cv2.INTER_LINEAR and torch's interpolate: no smoothing
    PIL_BILINEAR = (
        "pil_bilinear"  # PIL.Image.resize with BILINEAR: smooths where it shrinks (Pillow 13 differs by 1 of 255)
    )


class Picture(_Part):
    """The features as a picture: scaled to 0..1 between their minimum and maximum, colored, resized.

    The result is float32 [height, width, channels], times `scale`; features are rows, time runs to the right. A picture
    that matplotlib's savefig drew has axes, borders and its own resizing, so that it can't be computed exactly.
    """

    height: int = Field(ge=1, le=4096)
    width: int = Field(ge=1, le=4096)
    channels: Literal[1, 3] = 3
    colors: Colors = Colors.GREY
    low_at_bottom: bool = Field(default=True, description="The first feature is the lowest row")
    round_to_8_bit: bool = Field(
        default=False, description="Values are cut to whole numbers of 0..255 before they are resized, as a file's are"
    )
    resize: Resize = Resize.BILINEAR
    scale: float = Field(default=1.0, gt=0, le=255)
    channels_first: bool = False

    @model_validator(mode="after")
    def _colors_need_three_channels(self) -> Self:
        if self.colors is not Colors.GREY and self.channels == 1:
            raise ValueError(f"the colors of {self.colors} need 3 channels")
        return self


class Arrangement(_Part):
    """Steps from joined features to the model's input, applied in the order of the fields.

    A picture has its own axes, so that of `layout` only `flatten` and `shape` apply to it.
    """

    standardize_before: Standardization | None = None
    frames: Frames | None = None
    standardize: Standardization | None = None
    picture: Picture | None = None
    layout: Layout = Layout()
