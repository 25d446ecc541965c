"""What every format module hands to the rest of the compiler."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import onnx
from numpy.typing import NDArray

from understudy.schemas.compiler.report import TensorSignature
from understudy.schemas.compiler.spec import PartialSpec

Tensors = Mapping[str, NDArray[Any]]

OPSET = 18
FLOAT_TOLERANCE = 1e-4  # float32 sums of a few thousand terms stay well below
HALF_TOLERANCE = 5e-3  # a few steps of float16, whose epsilon is 1e-3
QUANTIZED_TOLERANCE = 2e-2  # integer kernels round after every layer; ONNX computes the same layers in float


class LoadedModel(Protocol):
    """A model file opened by the framework that wrote it.

    `inputs` are in the order the model takes them; a dimension of None varies. `hints` is what the file itself says
    about its spec. `tolerance` is the parity that its arithmetic allows, relative to max(1, max |answer|).
    """

    framework: str
    written_by: str | None
    inputs: tuple[TensorSignature, ...]
    hints: PartialSpec
    tolerance: float

    def predict(self, tensors: Tensors) -> dict[str, NDArray[Any]]:
        """The framework's own answer: the reference that parity is measured against, keyed as `to_onnx` names it."""
        ...

    def to_onnx(self) -> onnx.ModelProto:
        """The same function as an ONNX graph; raises CompileFailed where it has no equivalent."""
        ...


def read_signature(name: str, dtype: Any, shape: tuple[int | None, ...]) -> TensorSignature:
    """A signature from whatever a framework calls a dtype; dimensions below zero count as varying."""
    dims = tuple(None if dim is None or dim < 0 else int(dim) for dim in shape)
    return TensorSignature(name=name, dtype=np.dtype(dtype).name, shape=dims)


def take_first_line(error: BaseException) -> str:
    """A framework's message cut to what fits an answer: its first line, at most 500 characters."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:500]
