"""Examples of a model: clips, and what the author's own script answered for them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from math import ceil, floor, log10
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StringConstraints, computed_field, model_validator

from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.inference.finding import Finding

DEFAULT_TOLERANCE = 0.01
MOST_EXAMPLES = 200
NOT_PROVED = "features not proved"

ClipName = Annotated[str, Field(min_length=1, max_length=500, description="Path of the clip, relative to the CSV")]
ExampleLabel = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Tolerance = Annotated[
    float, Field(gt=0, le=1, allow_inf_nan=False, description="Largest difference of a score that is accepted")
]


class Expectation(BaseModel):
    """The author's answer for one clip: the label, or the scores of some or all labels, or both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: ClipName
    label: ExampleLabel | None = Field(default=None, description="The label that the clip must get")
    scores: dict[ExampleLabel, FiniteFloat] = Field(default={}, description="The clip's score of each label named here")
    tolerance: Tolerance = DEFAULT_TOLERANCE

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.label is None and not self.scores:
            raise ValueError(f"{self.file} has neither a label nor a score")
        return self


class ExampleIn(Expectation):
    """One example of a JSON request."""

    audio: str = Field(description="The recording as base64 text (RFC 4648, with padding)")


class ExamplesIn(BaseModel):
    """Body of PUT and POST /api/v1/models/{model_id}/examples as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    examples: Annotated[tuple[ExampleIn, ...], Field(min_length=1, max_length=MOST_EXAMPLES)]


class Example(Expectation):
    """An example as it is stored: its clip is the file with this digest."""

    digest: str = Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of the clip")
    bytes: int = Field(ge=0)


class ExampleSet(BaseModel):
    """The examples of one model file."""

    model_config = ConfigDict(frozen=True)

    examples: tuple[Example, ...]

    @property
    def digest(self) -> str:
        """SHA-256 in hex over every clip and everything that is expected of it."""
        return sha256(self.model_dump_json().encode()).hexdigest()


class ClipProof(BaseModel):
    """The served answer for one example beside the expected one."""

    model_config = ConfigDict(frozen=True)

    file: str
    agrees: bool
    tolerance: float = Field(description="Largest difference of a score that this run accepted")
    expected_label: str | None
    served_label: str | None
    max_difference: float | None = Field(description="Of the scores that the example names; null where it names none")
    differs_at: str | None = Field(description="The label of the largest difference")
    expected_score: float | None = Field(description="Of `differs_at`")
    served_score: float | None = Field(description="Of `differs_at`, else of the served label")
    problem: str | None = Field(description="Why the clip could not be compared")
    findings: tuple[Finding, ...] = Field(
        default=(), description="What of the recording is damaged, missing or not scored, so that the scores may differ"
    )

    def describe(self) -> str:
        """Return one sentence with the served and the expected answer."""
        if self.problem is not None:
            return f"{self.file} cannot be compared: {self.problem}"
        parts = []
        if self.expected_label is not None and self.expected_label != self.served_label:
            parts.append(f"the model answers {self.served_label!r}, the example says {self.expected_label!r}")
        if self.max_difference is not None:
            parts.append(
                f"the score of {self.differs_at!r} is {self.served_score:.4g}, the example says "
                f"{self.expected_score:.4g} (difference {self.max_difference:.2g}, accepted {self.tolerance:g})"
            )
        return f"{self.file}: {'; '.join(parts) or 'the label agrees'}."

    def describe_findings(self) -> Iterator[str]:
        """Yield a sentence for each finding about the clip."""
        for finding in self.findings:
            yield f"{self.file}: {finding.detail}"


class ExamplesProof(BaseModel):
    """One run of all examples through the served pipeline of one compiled model."""

    model_config = ConfigDict(frozen=True)

    compiled_key: str
    examples_digest: str
    precision: Precision = Precision.FLOAT32
    backbone_digest: str | None
    program: str = Field(description="Versions of Understudy and of the library that runs the model")
    allowance: float = Field(default=0.0, description="Added to the tolerance of every clip of an int8 variant")
    clips: tuple[ClipProof, ...]
    seconds: float
    proved_at: datetime = Field(default_factory=lambda: datetime.now(UTC))

    @computed_field  # type: ignore[prop-decorator]  # pydantic's documented way
    @property
    def agreed(self) -> int:
        """The number of clips that agree."""
        return sum(clip.agrees for clip in self.clips)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def max_difference(self) -> float | None:
        """The largest difference of a score over all clips; None where no example names a score."""
        return max((clip.max_difference for clip in self.clips if clip.max_difference is not None), default=None)

    @property
    def passed(self) -> bool:
        """True when every clip agrees."""
        return self.agreed == len(self.clips)

    @property
    def missed(self) -> tuple[ClipProof, ...]:
        """The clips that do not agree; the one with the largest difference first, clips without one before all."""
        missed = (clip for clip in self.clips if not clip.agrees)
        return tuple(sorted(missed, key=lambda clip: -(9.0 if clip.problem else clip.max_difference or 0.0)))

    def summarize(self) -> str:
        """Return a line such as "12 of 12 within 0.003", or what differs most."""
        count = f"{self.agreed} of {len(self.clips)}"
        if not self.passed:
            return f"{count} agree; {self.missed[0].describe()}"
        if self.max_difference is None:
            return f"{count} get the expected label"
        return f"{count} within {_round_up(self.max_difference):g}"


class ProofState(StrEnum):
    """The knowledge about a model's features."""

    NOT_PROVED = "not_proved"  # no examples
    PENDING = "pending"  # examples that were not run through this compiled model yet
    PROVED = "proved"
    MISSED = "missed"


class ExamplesSummary(BaseModel):
    """The examples of a model in short."""

    state: ProofState
    examples: int = Field(description="Number of examples")
    agreed: int | None = Field(description="Number that agree; null until they were run")
    max_difference: float | None = Field(description="Largest difference of a score; null where none is known")
    text: str = Field(description='One line, such as "12 of 12 within 0.003" or "features not proved"')


class ModelExamples(BaseModel):
    """Answer of GET /api/v1/models/{model_id}/examples."""

    model_config = ConfigDict(protected_namespaces=())

    model_id: int
    digest: str = Field(description="SHA-256 of the model file that the examples belong to")
    examples_digest: str | None = Field(description="Over all clips and expected answers; null without examples")
    summary: ExamplesSummary
    examples: tuple[Example, ...]
    proof: ExamplesProof | None = Field(description="The latest run through the compiled model; null before the first")
    int8_proof: ExamplesProof | None = Field(description="The latest run through the int8 variant")


def summarize_examples(examples: ExampleSet | None, proof: ExamplesProof | None) -> ExamplesSummary:
    """Return the summary of a model with these examples and the latest run of them."""
    if examples is None:
        return ExamplesSummary(
            state=ProofState.NOT_PROVED, examples=0, agreed=None, max_difference=None, text=NOT_PROVED
        )
    count = len(examples.examples)
    if proof is None:
        text = f"{count} not run yet"
        return ExamplesSummary(state=ProofState.PENDING, examples=count, agreed=None, max_difference=None, text=text)
    return ExamplesSummary(
        state=ProofState.PROVED if proof.passed else ProofState.MISSED,
        examples=count,
        agreed=proof.agreed,
        max_difference=proof.max_difference,
        text=proof.summarize(),
    )


def _round_up(value: float) -> float:
    """Return `value` rounded up to one significant digit, so that "within" stays true; at least 1e-6."""
    value = max(value, 1e-6)
    unit = 10.0 ** floor(log10(value))
    return ceil(value / unit - 1e-9) * unit
