"""The spec of a model: how audio becomes its input, and its output becomes scores of labels."""

import json
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, field_validator, model_validator

from understudy.presets.presets import read_preset
from understudy.schemas.front_end.arrangement import Arrangement
from understudy.schemas.front_end.parts import FrontEndPart, WaveformPart, YamnetOutput, YamnetPart
from understudy.schemas.front_end.pooling import Pooling
from understudy.schemas.front_end.sound import Sound
from understudy.yamnet import constants as yamnet

LONGEST_WINDOW_SECONDS = 86_400.0
SHORTEST_HOP_SECONDS = 0.001

Label = Annotated[str, Field(max_length=500)]
SampleRate = Annotated[int, Field(ge=1_000, le=192_000)] | Literal["file"]
FrontEnd = Annotated[tuple[FrontEndPart, ...], Field(min_length=1, max_length=20)]
DEFAULT_THRESHOLD = 0.5


class InputKind(StrEnum):
    """The kind of the model's input; all arrays are float32 with a leading batch axis unless it says otherwise."""

    WAVEFORM = "waveform"  # samples in [-1, 1] at `sample_rate`
    LOG_MEL_PATCH = "log_mel_patch"  # YAMNet's front end: 96 frames x 64 bands
    EMBEDDING = "embedding"  # YAMNet's 1024 values a patch, or those of the spec's `backbone`
    SCORES = "scores"  # YAMNet's 521 scores a patch
    FEATURES = "features"  # what the spec's `front_end` computes
    TENSOR = "tensor"  # anything else; not offered for audio

    @property
    def on_backbone(self) -> bool:
        """True when a backbone, YAMNet or an installed one, runs before the model."""
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


class Tail(StrEnum):
    """The treatment of the end of a clip that does not fill a window."""

    PAD = "pad"  # filled up with zeros
    DROP = "drop"  # left out; a clip shorter than one window is filled up
    KEEP = "keep"  # a shorter window; only for features


_OF_INPUT = ("input", "front_end", "backbone")


class Assumption(StrEnum):
    """A part of a spec that no source stated."""

    POOLING = "pooling"
    SAMPLE_RATE = "sample_rate"


_YAMNET_INPUTS = {
    YamnetOutput.PATCHES: InputKind.LOG_MEL_PATCH,
    YamnetOutput.EMBEDDING: InputKind.EMBEDDING,
    YamnetOutput.SCORES: InputKind.SCORES,
}


class BackboneReference(BaseModel):
    """An installed backbone: its name and, once the model is registered, the digest of the one that it was made for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    digest: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, document: Any) -> Any:
        """Take the name alone as the short form."""
        return {"name": document} if isinstance(document, str) else document


class BackboneUse(BackboneReference):
    """The backbone that runs before a model. `width` is the number of values of an embedding."""

    digest: str = Field(pattern="^[0-9a-f]{64}$")
    width: int = Field(ge=1)


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


class PartialInputSpec(_SpecBase):
    """The way from a recording to an input as a person writes it: a missing value comes from the next source."""

    preset: str | None = Field(default=None, max_length=100, description="The preset whose values are filled in")
    input: InputKind | None = None
    front_end: FrontEnd | None = Field(default=None, description="Features, joined in order; implies input `features`")
    sample_rate: SampleRate | None = Field(default=None, description="Hz; `file`: the recording's own")
    sound: Sound | None = Field(default=None, description="Steps before features are computed")
    pooling: Pooling | None = Field(default=None, description="Over time, before the model")
    arrangement: Arrangement | None = Field(default=None, description="From features to the model's input")
    window_seconds: float | None = Field(default=None, gt=0, le=LONGEST_WINDOW_SECONDS)
    hop_seconds: float | None = Field(default=None, ge=SHORTEST_HOP_SECONDS, le=LONGEST_WINDOW_SECONDS)
    tail: Tail | None = None

    @model_validator(mode="before")
    @classmethod
    def _fill_in_preset_and_input(cls, document: Any) -> Any:
        """Take what a preset says, field by field, where the document says nothing, and name the input."""
        if not isinstance(document, dict):
            return document
        if isinstance(name := document.get("preset"), str):
            known = {field: value for field, value in read_preset(name).items() if value is not None}
            document = {field: value for field, value in known.items() if field in cls.model_fields} | document
        return _name_input(document)


class PartialSpec(PartialInputSpec):
    """A spec as a person writes it: a missing value comes from the next source (sidecar, file, defaults)."""

    backbone: BackboneReference | None = Field(
        default=None, description="Name of the installed backbone whose embeddings the model takes; null: YAMNet"
    )
    labels: tuple[Label, ...] | None = None
    activation: OutputActivation | None = None
    aggregation: Aggregation | None = None
    top_k: int | None = Field(default=None, ge=1)
    thresholds: dict[Label, FiniteFloat] | None = Field(
        default=None, description="Score from which a label is an event"
    )
    otherwise: Label | None = Field(
        default=None, description="The clip's label when no other label reaches its threshold (0.5 where none is given)"
    )

    @field_validator("labels")
    @classmethod
    def _some_labels_if_any(cls, labels: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if labels is not None and not labels:
            raise ValueError("labels must be a list of non-empty names")
        return labels

    def over(self, weaker: "PartialSpec") -> "PartialSpec":
        """Return this spec with its missing values taken from `weaker`.

        Input, front end and backbone come from one source.
        """
        taken = weaker.to_document()
        if self.input is not None:
            taken = {name: value for name, value in taken.items() if name not in _OF_INPUT}
        return PartialSpec.model_validate(taken | self.to_document())

    def to_document(self, *, cleared: bool = False) -> dict[str, Any]:
        """Return the fields that have a value as JSON values, with `cleared` also those that were set to null.

        What lies inside a field is complete: a null there, such as `top_db`, is not the default. A null that takes back
        what a preset says is kept, or the next reader would fill it in again.
        """
        nulls = self.model_fields_set if cleared or self.preset is not None else set()
        document = self.model_dump(mode="json")
        return {name: value for name, value in document.items() if value is not None or name in nulls}

    def to_text(self) -> str:
        """Return the JSON text of a spec file."""
        return json.dumps(self.to_document(), indent=2, ensure_ascii=False) + "\n"


class InputSpec(_SpecBase):
    """The complete way from a recording to a graph's input. `window_seconds` None: the whole clip is one window."""

    preset: str | None = None
    input: InputKind
    front_end: FrontEnd | None = None
    sample_rate: SampleRate = Field(default=yamnet.SAMPLE_RATE, description="Hz; `file`: the recording's own")
    sound: Sound = Sound()
    pooling: Pooling | None = None
    arrangement: Arrangement = Arrangement()
    window_seconds: float | None = Field(default=yamnet.WINDOW_SECONDS, gt=0)
    hop_seconds: float | None = Field(default=yamnet.HOP_SECONDS, gt=0)
    tail: Tail = Tail.PAD

    @model_validator(mode="after")
    def _front_end_fits_input(self) -> Self:
        if (self.input is InputKind.FEATURES) != (self.front_end is not None):
            raise ValueError("`front_end` and input `features` belong together")
        if self.pooling is not None and not (self.input is InputKind.FEATURES or self.input.on_backbone):
            raise ValueError(f"input {self.input.value!r} has no features to pool over time")
        if self.pooling is not None and self.arrangement.frames is not None:
            raise ValueError("features pooled over time have no frames to pad or cut")
        if self.tail is Tail.KEEP and self.input is not InputKind.FEATURES:
            raise ValueError(f"tail 'keep' needs a `front_end`; input {self.input.value!r} takes whole windows")
        return self


class Spec(InputSpec):
    """A complete spec."""

    backbone: BackboneUse | None = Field(default=None, description="null: YAMNet, where the input is on a backbone")
    labels: tuple[str, ...] = Field(description="Empty only for a tensor model whose outputs are no scores")
    labels_named: bool = Field(description="False when no source named the labels and class_0, class_1, … stand in")
    activation: OutputActivation
    aggregation: Aggregation = Aggregation.MEAN
    top_k: int = Field(default=3, ge=1, description="Windows averaged by `top_k_mean`")
    thresholds: dict[str, float] = Field(default_factory=dict)
    otherwise: str | None = None
    assumed: tuple[Assumption, ...] | None = Field(
        default=None, description="What no source said and was therefore assumed; null in specs made before it was kept"
    )

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """The assumptions; a spec made before that was kept never stated how embeddings are pooled."""
        if self.assumed is not None:
            return self.assumed
        return (Assumption.POOLING,) if self.input.on_backbone else ()

    @model_validator(mode="after")
    def _audio_has_labels(self) -> Self:
        if not self.labels and self.input is not InputKind.TENSOR:
            raise ValueError("a model for audio needs at least one label")
        return self

    @model_validator(mode="after")
    def _thresholds_name_labels(self) -> Self:
        named = {*self.thresholds, *([] if self.otherwise is None else [self.otherwise])}
        unknown = sorted(named - set(self.labels))
        if unknown:
            raise ValueError(f"thresholds or `otherwise` name labels the model does not have: {', '.join(unknown)}")
        return self

    @model_validator(mode="after")
    def _backbone_makes_embeddings(self) -> Self:
        if self.backbone is not None and self.input is not InputKind.EMBEDDING:
            raise ValueError(f"`backbone` and input {self.input.value!r} exclude each other")
        return self

    @property
    def embedding_width(self) -> int:
        """Number of values that the backbone computes from each of its windows, for a model on a backbone."""
        if self.backbone is not None:
            return self.backbone.width
        return yamnet.EMBEDDING_SIZE if self.input is InputKind.EMBEDDING else yamnet.CLASS_COUNT


def _name_input(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with `front_end` [waveform] or [yamnet] written as `input`, any other as `features`.

    `backbone` implies the input `embedding`; the name `yamnet` is that of the built-in one.
    """
    if document.get("backbone") is not None:
        return _name_backbone_input(document)
    parts = document.get("front_end")
    if not isinstance(parts, list | tuple) or not parts:
        return document
    plain = None
    if len(parts) == 1:
        plain = _find_plain_input(parts[0])
    kind = plain or InputKind.FEATURES
    if document.get("input") not in (None, kind, kind.value):
        raise ValueError(f"`front_end` makes {kind.value!r}, and `input` says {document['input']!r}: leave `input` out")
    rest = {name: value for name, value in document.items() if name != "front_end" or plain is None}
    return rest | {"input": kind}


def _find_plain_input(part: Any) -> InputKind | None:
    """Return the input that a lone waveform or yamnet part is another name of; None for every other part."""
    kind = part.get("kind") if isinstance(part, dict) else getattr(part, "kind", None)
    match kind:
        case "waveform":
            WaveformPart.model_validate(part)
            return InputKind.WAVEFORM
        case "yamnet":
            return _YAMNET_INPUTS[YamnetPart.model_validate(part).output]
    return None


def _name_backbone_input(document: dict[str, Any]) -> dict[str, Any]:
    if document.get("front_end") is not None:
        raise ValueError("a model on a `backbone` has no `front_end` of its own: the backbone's comes before it")
    if document["backbone"] in (yamnet.NAME, {"name": yamnet.NAME}):
        return document | {"input": document.get("input") or InputKind.EMBEDDING, "backbone": None}
    if document.get("input") not in (None, InputKind.EMBEDDING, InputKind.EMBEDDING.value):
        raise ValueError(f"`backbone` makes 'embedding', and `input` says {document['input']!r}: leave `input` out")
    return document | {"input": InputKind.EMBEDDING}
