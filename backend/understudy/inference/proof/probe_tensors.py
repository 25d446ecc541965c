"""Make tensors that show how a graph behaves on inputs that no training set holds."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from understudy.inference.runtime.session import Tensors
from understudy.schemas.compiler.report import CompileReport, TensorSignature

Shape = tuple[int, ...]

ABSURD = "the largest numbers"  # the name of the probe that a graph may refuse


def make_probe_tensors(report: CompileReport) -> dict[str, Tensors]:
    """Return inputs of a graph by what they are in words.

    They have the shapes of the first comparison with the original; without one, dimensions that vary are 1.
    """
    placed = list(zip(report.inputs, _find_shapes(report), strict=True))
    return {
        "zeros": {tensor.name: np.zeros(shape, tensor.dtype) for tensor, shape in placed},
        "ones": {tensor.name: np.ones(shape, tensor.dtype) for tensor, shape in placed},
        "zeros and ones": {tensor.name: _alternate(shape, tensor, 0, 1) for tensor, shape in placed},
        ABSURD: {tensor.name: _fill_with_extremes(shape, tensor) for tensor, shape in placed},
    }


def _find_shapes(report: CompileReport) -> tuple[Shape, ...]:
    if report.parity:
        return report.parity[0].input_shapes
    return tuple(tuple(1 if size is None else size for size in tensor.shape) for tensor in report.inputs)


def _fill_with_extremes(shape: Shape, tensor: TensorSignature) -> NDArray[Any]:
    dtype = np.dtype(tensor.dtype)
    if dtype.kind == "b":
        return _alternate(shape, tensor, 0, 1)
    limits = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    return _alternate(shape, tensor, limits.min, limits.max)


def _alternate(shape: Shape, tensor: TensorSignature, one: Any, other: Any) -> NDArray[Any]:
    values = np.full(int(np.prod(shape)), one, tensor.dtype)
    values[1::2] = other
    return values.reshape(shape)
