"""Read shapes and types of a session's inputs and outputs."""

from dataclasses import dataclass

import numpy as np
import onnxruntime as ort

_DTYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(int8)": "int8",
    "tensor(int16)": "int16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(uint8)": "uint8",
    "tensor(uint16)": "uint16",
    "tensor(uint32)": "uint32",
    "tensor(uint64)": "uint64",
    "tensor(bool)": "bool",
    "tensor(string)": "object",
}


@dataclass(frozen=True)
class GraphTensor:
    """One input or output.

    A dimension of None varies; a `dtype` of None stands for a type that numpy lacks.
    """

    name: str
    dtype: np.dtype[np.generic] | None
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        return f"{self.name} [{', '.join('?' if size is None else str(size) for size in self.shape)}]"


def read_inputs(session: ort.InferenceSession) -> tuple[GraphTensor, ...]:
    """Return the session's inputs in their order."""
    return tuple(_to_tensor(node) for node in session.get_inputs())


def read_outputs(session: ort.InferenceSession) -> tuple[GraphTensor, ...]:
    """Return the session's outputs in their order."""
    return tuple(_to_tensor(node) for node in session.get_outputs())


def _to_tensor(node: ort.NodeArg) -> GraphTensor:
    name = _DTYPES.get(node.type)
    shape = tuple(size if isinstance(size, int) else None for size in node.shape)
    return GraphTensor(node.name, None if name is None else np.dtype(name), shape)
