"""Converts TensorFlow functions to ONNX graphs, for all formats that TensorFlow loads."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from understudy.compiler.formats import onnx_graph, real_graph
from understudy.compiler.formats.loaded_model import (
    BFLOAT_TOLERANCE,
    FLOAT_TOLERANCE,
    HALF_TOLERANCE,
    OPSET,
    Tensors,
    read_signature,
)
from understudy.errors import CompileFailed, ParityFailed
from understudy.schemas.compiler.report import TensorSignature

Function = Callable[..., dict[str, Any]]


def call_function(
    function: Function, tensors: Tensors, signatures: Sequence[TensorSignature]
) -> dict[str, NDArray[Any]]:
    """Call `function` on arrays; raises ValueError when TensorFlow refuses their shapes or values."""
    try:
        found = function(*(tf.constant(tensors[signature.name]) for signature in signatures))
    except tf.errors.ResourceExhaustedError:
        raise
    except tf.errors.OpError as error:
        raise ValueError(error.message) from error
    return {name: np.asarray(value) for name, value in found.items()}


def name_outputs(found: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return a model's output (one tensor, a list or a dict) as a dict in the order of `names`."""
    return dict(zip(names, tf.nest.flatten(found), strict=True))


def describe_tensor(name: str, tensor: Any) -> TensorSignature:
    """Return the signature of a symbolic tensor of Keras or TensorFlow; bfloat16 is float32 there.

    Raises CompileFailed when the tensor is not numeric or has no fixed number of dimensions.
    """
    try:
        kind = tf.as_dtype(tensor.dtype)
        dtype = (tf.float32 if kind == tf.bfloat16 else kind).as_numpy_dtype
        if isinstance(tensor.shape, tf.TensorShape) and tensor.shape.rank is None:
            raise CompileFailed(
                f"The input {name!r} has no fixed number of dimensions.",
                remedy="Save the model with an input signature that names its rank.",
            )
        return read_signature(name, dtype, tuple(tensor.shape))
    except TypeError as error:
        raise CompileFailed(
            f"The input {name!r} has the type {tensor.dtype!r}, which is not a numeric tensor.",
            remedy="Export the model with float or integer inputs.",
        ) from error


def trace_reference(function: Function, signatures: Sequence[TensorSignature]) -> tuple[Function, float]:
    """Return `function` as one TensorFlow graph for every shape that `signatures` allow, and the tolerance of parity.

    A model with bfloat16 is served in float32. Its reference is the same graph in float32, which is compared with the
    original in bfloat16 at every call: the compiled model must agree with the former as closely as any other.
    """
    specs = [tf.TensorSpec(signature.shape, signature.dtype) for signature in signatures]
    traced = tf.function(function, input_signature=specs)
    concrete = traced.get_concrete_function()
    types = real_graph.list_types(concrete)
    if tf.bfloat16 not in types:
        return traced, HALF_TOLERANCE if tf.float16 in types else FLOAT_TOLERANCE
    widened: Function = real_graph.rewrite(concrete, specs)

    def compare(*tensors: Any) -> dict[str, Any]:
        answer = widened(*tensors)
        for name, original in traced(*tensors).items():
            _refuse_other_answer(name, np.asarray(original), np.asarray(answer[name]))
        return answer

    return compare, HALF_TOLERANCE if tf.float16 in types else FLOAT_TOLERANCE


def _refuse_other_answer(name: str, original: NDArray[Any], widened: NDArray[Any]) -> None:
    """Raises ParityFailed when an answer in float32 is not the one in bfloat16, apart from rounding."""
    if not np.issubdtype(widened.dtype, np.floating):
        return
    expected = original.astype(np.float64)
    error = float(np.max(np.abs(expected - widened), initial=0.0))
    tolerance = BFLOAT_TOLERANCE * max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    if not error <= tolerance:
        raise ParityFailed(
            f"In float32 the output {name!r} differs by {error:.3g} from the model's own answer in bfloat16; "
            f"{tolerance:.3g} is allowed.",
            remedy="Save the model with the dtype policy mixed_float16 or float32.",
        )


def convert(function: Function, signatures: Sequence[TensorSignature], outputs: Sequence[str]) -> onnx.ModelProto:
    """Trace `function` and convert it to ONNX with the given names; dimensions of None stay dynamic.

    Raises CompileFailed with the operators that ONNX has no equivalent for.
    """
    specs = [
        tf.TensorSpec(signature.shape, signature.dtype, name=f"understudy_in_{index}")
        for index, signature in enumerate(signatures)
    ]
    renamed = [f"understudy_out_{index}" for index in range(len(outputs))]

    def traced(*tensors: Any) -> dict[str, Any]:
        found = function(*tensors)
        return {new: tf.identity(found[name]) for new, name in zip(renamed, outputs, strict=True)}

    function_to_convert = tf.function(traced)
    concrete = function_to_convert.get_concrete_function(*specs)
    captures = concrete.graph.captures
    if real_graph.needs_rewriting(concrete):
        function_to_convert, captures = real_graph.rewrite(concrete, specs), []
    model, _ = tf2onnx.convert.from_function(
        function_to_convert, specs, opset=OPSET, custom_op_handlers={"Erfc": (_convert_erfc, [])}
    )
    _freeze(model, {inner.name: outer for outer, inner in captures if outer.dtype != tf.resource})
    names = {spec.name: signature.name for spec, signature in zip(specs, signatures, strict=True)}
    return finish_model(model, names | dict(zip(renamed, outputs, strict=True)), outputs)


def _convert_erfc(context: Any, node: Any, _name: str, _args: Any) -> None:
    """Convert Erfc, which GELU needs and tf2onnx lacks: erfc(x) = 1 - erf(x)."""
    output = node.output[0]
    dtype, shape = context.get_dtype(output), context.get_shape(output)
    context.remove_node(node.name)
    erf = context.make_node("Erf", node.input)
    kind = helper.tensor_dtype_to_np_dtype(dtype)
    one = context.make_const(f"{node.name}_one", np.array(1, kind))
    context.make_node("Sub", [one.output[0], erf.output[0]], outputs=[output], dtypes=[dtype], shapes=[shape])


def _freeze(model: onnx.ModelProto, captured: dict[str, Any]) -> None:
    """Store constants that the function captured from outside; tf2onnx lists them as inputs."""
    for value in [value for value in model.graph.input if value.name in captured]:
        model.graph.initializer.append(numpy_helper.from_array(captured[value.name].numpy(), value.name))
        model.graph.input.remove(value)


def finish_model(model: onnx.ModelProto, names: dict[str, str], outputs: Sequence[str]) -> onnx.ModelProto:
    """Rename a converted model's tensors and put its outputs in the order of `outputs`.

    Raises CompileFailed with the operators that ONNX has no equivalent for.
    """
    if unknown := onnx_graph.find_unknown_ops(model):
        raise CompileFailed(
            f"ONNX has no equivalent for these operators of the model: {', '.join(unknown)}.",
            remedy="Replace the layers that use them, or move that step in front of the model.",
        )
    onnx_graph.rename_tensors(model, names)
    order = {name: index for index, name in enumerate(outputs)}
    ordered = sorted(model.graph.output, key=lambda value: order[value.name])
    del model.graph.output[:]
    model.graph.output.extend(ordered)
    return model
