"""The interface between the format readers and the rest of the compiler."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
import onnx
from numpy.typing import NDArray

from understudy.schemas.compiler.report import TensorSignature
from understudy.schemas.compiler.runtime import Runtime
from understudy.schemas.compiler.spec import OutputActivation, PartialSpec

Tensors = Mapping[str, NDArray[Any]]

OPSET = 18
FLOAT_TOLERANCE = 1e-4  # float32 sums of a few thousand terms stay well below
HALF_TOLERANCE = 5e-3  # a few steps of float16, whose epsilon is 1e-3
BFLOAT_TOLERANCE = 5e-2  # a few steps of bfloat16, whose epsilon is 8e-3
QUANTIZED_TOLERANCE = 2e-2  # integer kernels round after every layer; ONNX computes the same layers in float


class LoadedModel(Protocol):
    """A model file that was opened by the framework that wrote it.

    `inputs` are in the order of the model; a dimension of None varies. `hints` is the part of the spec that the file
    itself holds. `tolerance` is the largest difference that counts as parity, relative to max(1, max |answer|); it
    depends on the file's arithmetic. `notes` are sentences for the reader of the report.
    """

    framework: str
    written_by: str | None
    inputs: tuple[TensorSignature, ...]
    hints: PartialSpec
    tolerance: float
    notes: tuple[str, ...]

    def predict(self, tensors: Tensors) -> dict[str, NDArray[Any]]:
        """Return the framework's own outputs, by the names that `to_onnx` gives them: the reference for parity."""
        ...

    def to_onnx(self) -> onnx.ModelProto:
        """Return the same function as an ONNX graph; raises CompileFailed where ONNX has no equivalent."""
        ...


@runtime_checkable
class OwnRuntime(LoadedModel, Protocol):
    """A loaded model that can be served by its own runtime where ONNX does not carry it.

    `is_quantized` says that ONNX, which computes the layers in float, differs where the own runtime is exact.
    """

    runtime: Runtime
    is_quantized: bool

    def predict_by_reference(self, tensors: Tensors) -> dict[str, NDArray[Any]]:
        """Return the outputs of the runtime's reference kernels."""
        ...

    def predict_as_served(self, tensors: Tensors) -> dict[str, NDArray[Any]]:
        """Return the outputs of the kernels that the server uses."""
        ...

    def find_final_activation(self, output: str) -> OutputActivation:
        """Return the activation that the graph applies last to the output of that name."""
        ...


def read_signature(name: str, dtype: Any, shape: tuple[int | None, ...]) -> TensorSignature:
    """Return a signature from a framework's dtype and shape; None and negative dimensions vary."""
    dims = tuple(None if dim is None or dim < 0 else int(dim) for dim in shape)
    return TensorSignature(name=name, dtype=np.dtype(dtype).name, shape=dims)


def take_first_line(error: BaseException) -> str:
    """Return the first line of a framework's message, at most 500 characters."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:500]
