"""Small TensorFlow Lite files, written without TensorFlow."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
flatbuffers = pytest.importorskip("flatbuffers")

WEIGHT = np.random.default_rng(1).standard_normal((3, 4)).astype(np.float32)
RECURRENT = np.random.default_rng(2).standard_normal((3, 3)).astype(np.float32)


def compute_dense(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return softmax(x w^T), which the file of `write_dense` computes."""
    grown: NDArray[np.float32] = np.exp(x @ WEIGHT.T)
    grown /= grown.sum(axis=1, keepdims=True)
    return grown


def write_dense(batch: int | None = None) -> bytes:
    """x float32 [batch, 4] -> y = softmax(x w^T) [batch, 3]."""
    signature = (-1,) if batch is None else (batch,)
    rows = batch or 1
    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    return _pack(
        [
            _make_tensor("x:0", (rows, 4), signature=(*signature, 4)),
            _make_tensor("w", (3, 4), buffer=1),
            _make_tensor("h", (rows, 3), signature=(*signature, 3)),
            _make_tensor("y:0", (rows, 3), signature=(*signature, 3)),
        ],
        [
            ("FULLY_CONNECTED", (0, 1, -1), (2,), schema.FullyConnectedOptionsT()),
            ("SOFTMAX", (2,), (3,), softmax),
        ],
        inputs=(0,),
        outputs=(3,),
        constants=[WEIGHT],
    )


def write_recurrent() -> bytes:
    """x float32 [1, 4] -> y [1, 3] = tanh(w x + r h), where h is the y of the run before: a state inside the model."""
    options = schema.RNNOptionsT()
    options.fusedActivationFunction = schema.ActivationFunctionType.TANH
    state = _make_tensor("h", (1, 3))
    state.isVariable = True
    return _pack(
        [
            _make_tensor("x:0", (1, 4)),
            _make_tensor("w", (3, 4), buffer=1),
            _make_tensor("r", (3, 3), buffer=2),
            _make_tensor("b", (3,), buffer=3),
            state,
            _make_tensor("y:0", (1, 3)),
        ],
        [("RNN", (0, 1, 2, 3, 4), (5,), options)],
        inputs=(0,),
        outputs=(5,),
        constants=[WEIGHT, RECURRENT, np.zeros(3, np.float32)],
    )


def _make_tensor(name: str, shape: Sequence[int], *, buffer: int = 0, signature: Sequence[int] | None = None) -> Any:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.buffer = name, list(shape), buffer
    tensor.type = schema.TensorType.FLOAT32
    tensor.shapeSignature = list(signature) if signature else None
    return tensor


def _pack(
    tensors: list[Any],
    operations: Sequence[tuple[str, Sequence[int], Sequence[int], Any]],
    *,
    inputs: Sequence[int],
    outputs: Sequence[int],
    constants: Sequence[NDArray[Any]],
) -> bytes:
    graph, model = schema.SubGraphT(), schema.ModelT()
    graph.tensors, graph.inputs, graph.outputs, graph.operators = tensors, list(inputs), list(outputs), []
    model.version, model.subgraphs, model.operatorCodes = 3, [graph], []
    for index, (name, taken, made, options) in enumerate(operations):
        code, operator = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode = getattr(schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 1
        operator.opcodeIndex, operator.inputs, operator.outputs = index, list(taken), list(made)
        operator.builtinOptions = options
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
        graph.operators.append(operator)
        model.operatorCodes.append(code)
    model.buffers = [schema.BufferT()]
    for constant in constants:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(constant.tobytes(), np.uint8)
        model.buffers.append(buffer)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
