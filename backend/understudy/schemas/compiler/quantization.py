"""The int8 variant of a compiled model: how it was made, and how far its answers agree with float32."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Precision(StrEnum):
    """The number format that a model computes with."""

    FLOAT32 = "float32"
    INT8 = "int8"

    @classmethod
    def of(cls, variant: str) -> "Precision":
        """Return the precision of a variant: `float32`, or an int8 variant's key, which begins with its precision."""
        return cls(variant.partition("-")[0])


class Gate(BaseModel):
    """The limits that an int8 variant must keep before it may go live."""

    model_config = ConfigDict(frozen=True)

    min_agreement: float = Field(default=0.99, ge=0, le=1, description="Share of answers with float32's top label")
    max_change: float = Field(default=0.25, gt=0, description="Largest change of any score of a clip")
    min_label_agreement: float = Field(
        default=0.9, ge=0, le=1, description="The same share for each label that float32 gives at least 10 times"
    )


class Calibration(BaseModel):
    """The recordings that set the ranges of the 8-bit numbers."""

    model_config = ConfigDict(frozen=True)

    source: str
    clips: int
    windows: int
    seconds: float
    digest: str = Field(description="SHA-256 over the digests of all clips, measured ones included")


class LabelAgreement(BaseModel):
    """`total` answers in which float32 gave this label; int8 gave it too in `agreed` of them."""

    model_config = ConfigDict(frozen=True)

    total: int
    agreed: int


class PrecisionAgreement(BaseModel):
    """float32 and int8 side by side on the same clips, from the recording to the label."""

    model_config = ConfigDict(frozen=True)

    clips: int
    windows: int
    disjoint: bool = Field(description="False when too few clips were left to measure agreement on others")
    clip_agreement: float
    window_agreement: float
    counted_on: Literal["clips", "windows"] = Field(description="clips from 100 clips on, else windows")
    max_change: float = Field(description="Of any score of a clip")
    mean_change: float
    max_window_change: float
    labels: dict[str, LabelAgreement] = Field(description="Counted on clips or windows, as `counted_on` says")
    accuracy: dict[Precision, float] | None = Field(
        description="Share of clips whose label is their folder's name; null where folders are not named so"
    )
    throughput_ratio: float = Field(description="Median over clips of float32's inference time by int8's")


class KeptLayer(BaseModel):
    """A layer that stays in float32."""

    model_config = ConfigDict(frozen=True)

    name: str
    reason: Literal["first", "last", "sensitive"]
    noise: float | None = Field(description="Relative error of the output with this layer alone in int8")


class Quantization(BaseModel):
    """The report on one attempt at an int8 variant, passed or not."""

    model_config = ConfigDict(frozen=True)

    precision: Precision
    of: str = Field(description="Key of the float32 compiled model")
    passed: bool
    reason: str | None = Field(description="Why it did not pass")
    gate: Gate
    calibration: Calibration
    agreement: PrecisionAgreement
    layers: int = Field(description="Convolutions and matrix products of the graph")
    equalised: int = Field(description="Pairs of layers whose channel ranges were equalized first")
    kept_in_float: tuple[KeptLayer, ...]
    noise: float = Field(description="Relative error of the quantized graph's output on calibration windows")
    backbone: str | None = Field(
        description="Name of the int8 backbone that the model runs on, which ends with its SHA-256; null without one"
    )
    backbone_digest: str | None = Field(description="Of the float32 backbone that the variant was measured against")
    float_bytes: int
    int8_bytes: int
    seconds: float

    @property
    def backbone_file_digest(self) -> str | None:
        """Return the SHA-256 of the int8 backbone; None without one, and for a variant of 0.1.0, which names none."""
        digest = (self.backbone or "").removeprefix(f"{self.precision}-")
        return digest if len(digest) == 64 else None
