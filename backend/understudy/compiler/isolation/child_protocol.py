"""Defines the messages between the compiler and its child: one JSON file in, one JSON file out."""

from pathlib import Path
from typing import ClassVar, Final

from pydantic import BaseModel, ConfigDict

from understudy import errors
from understudy.compiler.isolation.process_limits import Limits
from understudy.schemas.compiler.model_format import ModelFormat
from understudy.schemas.compiler.quantization import KeptLayer
from understudy.schemas.compiler.report import ParityProbe, TensorSignature
from understudy.schemas.compiler.runtime import Runtime
from understudy.schemas.compiler.spec import OutputActivation, PartialSpec

STEP_MARK: Final = "understudy-step "  # a line of the child's standard output that names its step
# Steps that have limits of their own.
PROBE: Final = "probe"
PARITY: Final = "parity"
OUTCOME_FILE: Final = "outcome.json"
REFUSAL_FILE: Final = "refusal.json"

_REFUSALS: tuple[type[errors.UnderstudyError], ...] = (
    errors.FormatUnknown,
    errors.ModelUnsafe,
    errors.CompileFailed,
    errors.ParityFailed,
    errors.SpecInvalid,
    errors.CompilerMissing,
)


class ConvertRequest(BaseModel):
    """One compilation; `source` and `out` lie below `limits.scratch`. `name` is the user's name for the source."""

    model_config = ConfigDict(frozen=True)
    task: ClassVar[str] = "convert"

    source: Path
    name: str
    out: Path
    limits: Limits
    parent: int


class ConvertResult(BaseModel):
    """The facts of a finished compilation; the served model and probes.npz lie beside it."""

    model_config = ConfigDict(frozen=True)

    format: ModelFormat
    runtime: Runtime
    framework: str
    written_by: str | None
    inputs: tuple[TensorSignature, ...]
    outputs: tuple[TensorSignature, ...]
    hints: PartialSpec
    activations: tuple[OutputActivation, ...]  # of each output
    parity: tuple[ParityProbe, ...]
    peak_memory_bytes: int
    isolation: tuple[str, ...]
    notes: tuple[str, ...]
    versions: dict[str, str]


class QuantizeRequest(BaseModel):
    """One quantization of the float32 graph `source`; `source`, `feeds` and `out` lie below `limits.scratch`.

    `feeds` is an npz file of inputs of the graph, one array for each run. `output` names the output whose error is
    measured.
    """

    model_config = ConfigDict(frozen=True)
    task: ClassVar[str] = "quantize"

    source: Path
    feeds: Path
    output: str
    out: Path
    limits: Limits
    parent: int


class QuantizeResult(BaseModel):
    """The facts of a finished quantization; model.onnx and probes.npz lie beside it."""

    model_config = ConfigDict(frozen=True)

    layers: int
    equalized_pairs: int
    kept: tuple[KeptLayer, ...]
    noise: float
    isolation: tuple[str, ...]
    peak_memory_bytes: int
    versions: dict[str, str]


class ChildRefusal(BaseModel):
    """An error of ours in the form in which the child sends it to its parent."""

    model_config = ConfigDict(frozen=True)

    code: str
    detail: str
    remedy: str

    @classmethod
    def from_error(cls, error: errors.UnderstudyError) -> "ChildRefusal":
        """Return the error as a message."""
        return cls(code=error.code, detail=error.detail, remedy=error.remedy)

    def to_error(self) -> errors.UnderstudyError:
        """Return the error that the child raised; an unknown code becomes CompileFailed."""
        kind = next((kind for kind in _REFUSALS if kind.code == self.code), errors.CompileFailed)
        return kind(self.detail, remedy=self.remedy)
