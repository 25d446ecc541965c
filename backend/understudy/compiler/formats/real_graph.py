"""Rewrites TensorFlow graphs with the numbers that ONNX has: bfloat16 as float32, complex numbers as pairs of reals.

ONNX Runtime computes few operators in bfloat16, and ONNX has no complex numbers. A graph is rewritten only where it
needs that; the parity of the converted model proves the result.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.eager import context
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from understudy.errors import CompileFailed

_COMPLEX = (tf.complex64, tf.complex128)
# Operators that act on real and imaginary part alike, so that each part passes through a copy of its own.
_LINEAR = {
    "AddN", "AddV2", "Add", "BatchToSpaceND", "BroadcastTo", "ConcatV2", "ExpandDims", "GatherNd", "GatherV2",
    "Identity", "Mean", "MirrorPad", "Neg", "Pack", "Pad", "Reshape", "ReverseV2", "Roll", "Slice", "SpaceToBatchND",
    "Split", "SplitV", "Squeeze", "StridedSlice", "Sub", "Sum", "Tile", "Transpose", "Unpack",
}  # fmt: skip


@dataclass(frozen=True)
class _Pair:
    """A complex tensor as its real and its imaginary part."""

    real: Any
    imaginary: Any


_Value = Any  # a tensor or a _Pair


def list_types(concrete: Any) -> set[Any]:
    """Return the dtypes that the nodes of a concrete function name, also those of the functions that it calls."""
    graph = concrete.graph.as_graph_def()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    return {tf.as_dtype(kind) for node in nodes for kind in _list_attribute_types(node) if kind in _KNOWN_TYPES}


_KNOWN_TYPES = {kind.as_datatype_enum for kind in (tf.bfloat16, tf.float16, *_COMPLEX)}


def _list_attribute_types(node: Any) -> Iterator[int]:
    for attribute in node.attr.values():
        yield attribute.type
        yield from attribute.list.type


def needs_rewriting(concrete: Any) -> bool:
    """True for a graph with bfloat16, and for complex numbers that tf2onnx does not convert by itself.

    It converts the magnitude of a Fourier transform of frames [frames, samples], without a batch.
    """
    types = list_types(concrete)
    if tf.bfloat16 in types:
        return True
    if not types & set(_COMPLEX):
        return False
    inlined = _freeze(concrete).graph
    return not all(_is_plain(operation) for operation in inlined.get_operations() if _is_complex(operation))


def _freeze(concrete: Any) -> Any:
    """Return the function with its variables as constants and the functions that it calls inlined."""
    return convert_variables_to_constants_v2(concrete, lower_control_flow=False)


def _is_complex(operation: Any) -> bool:
    return any(tensor.dtype in _COMPLEX for tensor in (*operation.inputs, *operation.outputs))


def _is_plain(operation: Any) -> bool:
    if operation.type == "RFFT":
        return bool(operation.inputs[0].shape.rank == 2)
    return bool(operation.type == "ComplexAbs")


def rewrite(concrete: Any, specs: Sequence[Any]) -> Callable[..., Any]:
    """Return a function of the same inputs and named outputs, without bfloat16 and without complex numbers.

    `specs` are the inputs in their order, as float32 where the graph takes bfloat16. The graph's variables become
    constants. Raises CompileFailed for complex operators that are not known here.
    """
    frozen = _freeze(concrete)
    definition = _rename_functions(_widen(frozen.graph.as_graph_def()))
    for function in definition.library.function:
        context.context().add_function_def(function)
    names = list(concrete.structured_outputs)
    outputs = dict(zip(names, (tensor.name for tensor in frozen.outputs), strict=True))
    inputs = [tensor.name for tensor in frozen.inputs]
    complex_nodes = {operation.name for operation in frozen.graph.get_operations() if _is_complex(operation)}

    def run(*tensors: Any) -> dict[str, Any]:
        builder = _Builder(definition, dict(zip(inputs, tensors, strict=True)), complex_nodes)
        found = {name: builder.compute(tensor) for name, tensor in outputs.items()}
        if paired := [name for name, value in found.items() if isinstance(value, _Pair)]:
            raise _refuse(f"the output {paired[0]} itself")
        return found

    return tf.function(run, input_signature=list(specs), autograph=False)  # type: ignore[no-any-return]


def _refuse(what: str) -> CompileFailed:
    return CompileFailed(
        f"The model computes with complex numbers, and ONNX has no equivalent for {what}.",
        remedy="Compute the magnitude right after the Fourier transform, and nothing else on complex numbers.",
    )


def _widen(graph: Any) -> Any:
    """Return the graph with float32 in place of bfloat16, in its nodes, constants and functions."""
    narrow, wide = tf.bfloat16.as_datatype_enum, tf.float32.as_datatype_enum
    functions = graph.library.function
    for node in [*graph.node, *(node for function in functions for node in function.node_def)]:
        for attribute in node.attr.values():
            if attribute.type == narrow:
                attribute.type = wide
            if attribute.HasField("list"):  # writing to a list clears every other kind of value
                attribute.list.type[:] = [wide if kind == narrow else kind for kind in attribute.list.type]
            if attribute.HasField("tensor") and attribute.tensor.dtype == narrow:
                values = tf.make_ndarray(attribute.tensor).astype(np.float32)
                attribute.tensor.CopyFrom(tf.make_tensor_proto(values))
    for function in functions:
        for argument in [*function.signature.input_arg, *function.signature.output_arg]:
            if argument.type == narrow:
                argument.type = wide
    return graph


def _rename_functions(graph: Any) -> Any:
    """Return the graph with new names for its functions: TensorFlow knows the present ones with another body."""
    names = {function.signature.name: f"{function.signature.name}_{uuid4().hex}" for function in graph.library.function}
    for node in [*graph.node, *(node for function in graph.library.function for node in function.node_def)]:
        node.op = names.get(node.op, node.op)
        for attribute in node.attr.values():
            for called in _list_called(attribute):
                called.name = names.get(called.name, called.name)
    for function in graph.library.function:
        function.signature.name = names[function.signature.name]
    del graph.library.gradient[:]
    return graph


def _list_called(attribute: Any) -> list[Any]:
    """Return the functions that an attribute of a node names."""
    kind = attribute.WhichOneof("value")
    return [attribute.func] if kind == "func" else list(attribute.list.func) if kind == "list" else []


class _Builder:
    """Copies a graph into the present one, node by node, with pairs in place of complex tensors."""

    def __init__(self, definition: Any, inputs: Mapping[str, Any], complex_nodes: set[str]) -> None:
        self._nodes = {node.name: node for node in definition.node}
        self._values: dict[str, _Value] = dict(inputs)
        self._complex = complex_nodes
        self._library = tf.compat.v1.GraphDef(versions=definition.versions, library=definition.library)
        self._functions = {function.signature.name for function in definition.library.function}
        self._copies = 0
        # Nodes come after those that they read, so one pass over them suffices.
        self._order = {node.name: index for index, node in enumerate(definition.node)}

    def compute(self, tensor: str) -> _Value:
        """Return the value of a tensor of the definition, such as `name:0`."""
        for name in self._list_needed(tensor):
            node = self._nodes[name]
            values = [self._values[_full(each)] for each in node.input if not each.startswith("^")]
            found = self._make_complex(node, values) if name in self._complex else self._copy(node, values)
            self._values |= {f"{name}:{index}": value for index, value in enumerate(found)}
        return self._values[tensor]

    def _list_needed(self, tensor: str) -> list[str]:
        """Return the nodes that are still to be made for `tensor`, in their order."""
        needed: set[str] = set()
        waiting = [tensor]
        while waiting:
            each = _full(waiting.pop())
            name = each.rpartition(":")[0]
            if each not in self._values and name not in needed:
                needed.add(name)
                waiting += [source for source in self._nodes[name].input if not source.startswith("^")]
        return sorted(needed, key=self._order.__getitem__)

    def _copy(self, node: Any, values: Sequence[Any]) -> list[Any]:
        """Import one node that reads `values`, and return its outputs."""
        definition = tf.compat.v1.GraphDef(versions=self._library.versions)
        if node.op in self._functions or any(_list_called(attribute) for attribute in node.attr.values()):
            definition.CopyFrom(self._library)
        copied = definition.node.add()
        copied.CopyFrom(node)
        copied.input[:] = [f"understudy_source_{index}" for index in range(len(values))]
        for name in ("_class", "_output_shapes"):
            copied.attr.pop(name, None)
        self._copies += 1
        scope = f"understudy_copy_{self._copies}"
        sources = {f"understudy_source_{index}:0": value for index, value in enumerate(values)}
        [operation] = tf.graph_util.import_graph_def(
            definition, input_map=sources, return_elements=[node.name], name=scope
        )
        return list(operation.outputs)

    def _make_complex(self, node: Any, values: Sequence[_Value]) -> list[_Value]:
        make = _OPERATORS.get(node.op)
        if node.op in _LINEAR:
            return self._copy_parts(node, values)
        if node.op == "Const":
            array = tf.make_ndarray(node.attr["value"].tensor)
            return [_Pair(tf.constant(array.real.copy()), tf.constant(array.imag.copy()))]
        if make is None:
            raise _refuse(f"{node.op} of them")
        return [make(*values)]

    def _copy_parts(self, node: Any, values: Sequence[_Value]) -> list[_Value]:
        real = tf.compat.v1.NodeDef()
        real.CopyFrom(node)
        narrow = {kind.as_datatype_enum: kind.real_dtype.as_datatype_enum for kind in _COMPLEX}
        for attribute in real.attr.values():
            if attribute.type in narrow:
                attribute.type = narrow[attribute.type]
        parts = [
            self._copy(real, [getattr(value, part) if isinstance(value, _Pair) else value for value in values])
            for part in ("real", "imaginary")
        ]
        return [_Pair(*pair) for pair in zip(*parts, strict=True)]


def _full(tensor: str) -> str:
    return tensor if ":" in tensor else f"{tensor}:0"


def _to_pair(value: _Value) -> _Pair:
    return value if isinstance(value, _Pair) else _Pair(value, tf.zeros_like(value))


def _make_dft(rows: int, length: int, bins: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the real and imaginary part of exp(-2 pi i n k / length), each [rows, bins]."""
    angle = 2 * np.pi * (np.outer(np.arange(rows), np.arange(bins)) % length) / length
    return np.cos(angle), -np.sin(angle)


def _multiply(values: Any, matrix: NDArray[np.float64]) -> Any:
    """Return values [..., n] times a matrix [n, m]."""
    constant = tf.constant(matrix, values.dtype)
    return tf.matmul(values, constant) if values.shape.rank != 1 else tf.matmul(values[None], constant)[0]


def _make_real_transform(values: Any, fft_length: Any) -> _Pair:
    """Compute RFFT as a product with the DFT matrix; shorter input counts as padded with zeros, longer is cut."""
    static = tf.get_static_value(fft_length)
    samples = values.shape[-1]
    if static is None or samples is None or values.shape.rank is None:
        raise _refuse("a Fourier transform whose length varies")
    length = int(static[0])
    rows = min(length, samples)
    real, imaginary = _make_dft(rows, length, length // 2 + 1)
    values = values[..., :rows]
    return _Pair(_multiply(values, real), _multiply(values, imaginary))


def _make_transform(value: _Pair, *, inverse: bool = False) -> _Pair:
    """Compute FFT or IFFT over the last axis as products with the DFT matrix."""
    length = value.real.shape[-1]
    if length is None or value.real.shape.rank is None:
        raise _refuse("a Fourier transform whose length varies")
    real, imaginary = _make_dft(length, length, length)
    if inverse:
        real, imaginary = real / length, -imaginary / length
    return _Pair(
        _multiply(value.real, real) - _multiply(value.imaginary, imaginary),
        _multiply(value.real, imaginary) + _multiply(value.imaginary, real),
    )


def _make_product(one: _Value, other: _Value) -> _Pair:
    a, b = _to_pair(one), _to_pair(other)
    return _Pair(
        a.real * b.real - a.imaginary * b.imaginary,
        a.real * b.imaginary + a.imaginary * b.real,
    )


def _make_quotient(one: _Value, other: _Value) -> _Pair:
    b = _to_pair(other)
    square = b.real * b.real + b.imaginary * b.imaginary
    product = _make_product(one, _Pair(b.real, -b.imaginary))
    return _Pair(product.real / square, product.imaginary / square)


def _make_cast(value: _Value) -> _Value:
    """Convert between complex types, to a complex type, or to a real one, which keeps the real part."""
    return value.real if isinstance(value, _Pair) else _to_pair(tf.cast(value, tf.float32))


_OPERATORS: dict[str, Callable[..., _Value]] = {
    "RFFT": _make_real_transform,
    "FFT": _make_transform,
    "IFFT": lambda value: _make_transform(value, inverse=True),
    "ComplexAbs": lambda value: tf.sqrt(value.real * value.real + value.imaginary * value.imaginary),
    "Real": lambda value: value.real,
    "Imag": lambda value: value.imaginary,
    "Angle": lambda value: tf.atan2(value.imaginary, value.real),
    "Conj": lambda value: _Pair(value.real, -value.imaginary),
    "Complex": _Pair,
    "Cast": _make_cast,
    "Mul": _make_product,
    "Square": lambda value: _make_product(value, value),
    "RealDiv": _make_quotient,
}
