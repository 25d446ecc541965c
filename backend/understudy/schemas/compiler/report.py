"""The compile report: the source, its conversion and the agreement of the two."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from understudy.schemas.compiler.quantization import Quantization
from understudy.schemas.compiler.runtime import Runtime
from understudy.schemas.compiler.spec import InputKind, OutputActivation, Spec

_FALLBACK_TOLERANCE = 1e-4


class TensorSignature(BaseModel):
    """One input or output of a graph; a dimension of None varies."""

    model_config = ConfigDict(frozen=True)

    name: str
    dtype: str = Field(description="numpy's name, such as float32")
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.name} [{sizes}] {self.dtype}"


class ParityProbe(BaseModel):
    """One comparison of the original framework with the serving runtime on the same random input."""

    model_config = ConfigDict(frozen=True)

    input_shapes: tuple[tuple[int, ...], ...]
    max_abs_error: float
    tolerance: float


class CompileReport(BaseModel):
    """`report.json` of a compiled model."""

    model_config = ConfigDict(frozen=True)

    key: str = Field(description="Name of the compiled model: covers source digest, spec and compiler version")
    source_digest: str
    source_bytes: int
    format: str = Field(description="keras, h5, saved_model, tflite or onnx")
    framework: str = Field(description="The framework that loaded the source, such as 'keras 3.15.1'")
    written_by: str | None = Field(
        description="The framework that the file names as its writer, such as 'keras 2.15.0'"
    )
    inputs: tuple[TensorSignature, ...]
    outputs: tuple[TensorSignature, ...]
    spec: Spec
    graph_activation: OutputActivation = Field(description="The activation that the graph itself ends with")
    parity: tuple[ParityProbe, ...]
    runtime: Runtime = Field(
        default=Runtime.ONNX, description="The library that executes the model; litert where ONNX does not carry it"
    )
    onnx_digest: str = Field(description="SHA-256 of the served file, model.onnx or model.tflite")
    onnx_bytes: int = Field(description="Size of the served file")
    probes_digest: str | None = Field(
        default=None, description="Of the recorded inputs and outputs; null in reports made before it was kept"
    )
    seconds: float = Field(description="Wall-clock time of the child process")
    peak_memory_bytes: int
    isolation: tuple[str, ...] = Field(description="Limits that held while the file was loaded")
    notes: tuple[str, ...] = Field(default=(), description="Warnings for the reader, such as a misleading file name")
    versions: dict[str, str] = Field(description="Package versions that took part")
    compiled_at: datetime
    quantization: Quantization | None = Field(default=None, description="Of the int8 variant, where one was made")

    @property
    def takes_tensors_only(self) -> bool:
        """True when the spec does not say how a recording becomes the model's input."""
        return self.spec.input is InputKind.TENSOR

    @property
    def tolerance(self) -> float:
        """Largest error that replaying the recorded probes may show."""
        return max((probe.tolerance for probe in self.parity), default=_FALLBACK_TOLERANCE)

    @property
    def max_abs_error(self) -> float:
        """Largest parity error over all probes; 0.0 when the source is ONNX and was not converted."""
        return max((probe.max_abs_error for probe in self.parity), default=0.0)
