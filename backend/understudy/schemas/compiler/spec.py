"""The spec of a model: how audio becomes its input, and its output becomes scores of labels."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, field_validator, model_validator

from understudy.yamnet import constants as yamnet

LONGEST_WINDOW_SECONDS = 86_400.0
SHORTEST_HOP_SECONDS = 0.001

Label = Annotated[str, Field(max_length=500)]


class InputKind(StrEnum):
    """The kind of the model's input; all arrays are float32 with a leading batch axis unless it says otherwise."""

    WAVEFORM = "waveform"  # samples in [-1, 1] at `sample_rate`
    LOG_MEL_PATCH = "log_mel_patch"  # YAMNet's front end: 96 frames x 64 bands
    EMBEDDING = "embedding"  # YAMNet's 1024 values a patch
    SCORES = "scores"  # YAMNet's 521 scores a patch
    TENSOR = "tensor"  # anything else; not offered for audio

    @property
    def on_backbone(self) -> bool:
        """True when YAMNet runs before the model."""
        return self in (InputKind.EMBEDDING, InputKind.SCORES)


class OutputActivation(StrEnum):
    """The function between a model's logits and its scores."""

    SOFTMAX = "softmax"
    SIGMOID = "sigmoid"
    NONE = "none"


class Aggregation(StrEnum):
    """The function that computes a clip's score of a label from the scores of its windows."""

    MEAN = "mean"
    MAX = "max"
    TOP_K_MEAN = "top_k_mean"


class _SpecBase(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("labels", check_fields=False)
    @classmethod
    def _labels_are_distinct_words(cls, labels: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if labels is None:
            return None
        if any(not label.strip() for label in labels):
            raise ValueError("labels must be a list of non-empty names")
        if len(set(labels)) != len(labels):
            raise ValueError("every label may occur once")
        return labels


class PartialSpec(_SpecBase):
    """A spec as a person writes it: a missing value comes from the next source (sidecar, file, defaults)."""

    input: InputKind | None = None
    sample_rate: int | None = Field(default=None, ge=1_000, le=192_000, description="Hz")
    window_seconds: float | None = Field(default=None, gt=0, le=LONGEST_WINDOW_SECONDS)
    hop_seconds: float | None = Field(default=None, ge=SHORTEST_HOP_SECONDS, le=LONGEST_WINDOW_SECONDS)
    labels: tuple[Label, ...] | None = None
    activation: OutputActivation | None = None
    aggregation: Aggregation | None = None
    top_k: int | None = Field(default=None, ge=1)
    thresholds: dict[Label, FiniteFloat] | None = Field(
        default=None, description="Score from which a label is an event"
    )

    @field_validator("labels")
    @classmethod
    def _some_labels_if_any(cls, labels: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if labels is not None and not labels:
            raise ValueError("labels must be a list of non-empty names")
        return labels

    def over(self, weaker: "PartialSpec") -> "PartialSpec":
        """Return this spec with its missing values taken from `weaker`."""
        return PartialSpec.model_validate(weaker.model_dump(exclude_none=True) | self.model_dump(exclude_none=True))


class Spec(_SpecBase):
    """A complete spec. `window_seconds` None means that the whole clip is one window."""

    input: InputKind
    sample_rate: int = Field(default=yamnet.SAMPLE_RATE, ge=1_000, le=192_000, description="Hz")
    window_seconds: float | None = Field(default=yamnet.WINDOW_SECONDS, gt=0)
    hop_seconds: float | None = Field(default=yamnet.HOP_SECONDS, gt=0)
    labels: tuple[str, ...] = Field(description="Empty only for a tensor model whose outputs are no scores")
    labels_named: bool = Field(description="False when no source named the labels and class_0, class_1, … stand in")
    activation: OutputActivation
    aggregation: Aggregation = Aggregation.MEAN
    top_k: int = Field(default=3, ge=1, description="Windows averaged by `top_k_mean`")
    thresholds: dict[str, float] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _audio_has_labels(self) -> Self:
        if not self.labels and self.input is not InputKind.TENSOR:
            raise ValueError("a model for audio needs at least one label")
        return self

    @model_validator(mode="after")
    def _thresholds_name_labels(self) -> Self:
        unknown = sorted(set(self.thresholds) - set(self.labels))
        if unknown:
            raise ValueError(f"thresholds name labels the model does not have: {', '.join(unknown)}")
        return self
