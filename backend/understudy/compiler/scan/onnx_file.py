"""Checks an ONNX file as data before ONNX Runtime builds a graph from it."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from understudy.errors import CompileFailed, ModelUnsafe

# The standard, and the contributed operators that are built into ONNX Runtime.
_DOMAINS = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft"}


def _iterate_graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """Yield a graph and all graphs inside its nodes."""
    waiting = [graph]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(_iterate_subgraphs(current.node))


def _iterate_subgraphs(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.GraphProto]:
    for node in nodes:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield attribute.g
            yield from attribute.graphs


def _iterate_tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Yield every constant of the model: initializers and attributes of graphs, subgraphs and functions."""
    bodies = [function.node for function in model.functions]
    graphs = [
        *_iterate_graphs(model.graph),
        *(g for body in bodies for inner in _iterate_subgraphs(body) for g in _iterate_graphs(inner)),
    ]
    for graph in graphs:
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield sparse.values
            yield sparse.indices
    for body in [*(graph.node for graph in graphs), *bodies]:
        for node in body:
            for attribute in node.attribute:
                if attribute.HasField("t"):
                    yield attribute.t
                yield from attribute.tensors


def _count_declared_values(tensor: onnx.TensorProto) -> int:
    size = 1
    for dim in tensor.dims:
        size *= max(0, dim)
    return size


def scan(path: Path, max_bytes: int) -> onnx.ModelProto:
    """Check an ONNX file and return the parsed model.

    Raises ModelUnsafe for weights in other files, for more than `max_bytes` declared values and for operators that
    neither the standard nor ONNX Runtime defines; CompileFailed when the file is damaged or breaks the standard.
    """
    try:
        model = onnx.load(path, load_external_data=False)
    except DecodeError as error:
        raise CompileFailed(
            "The ONNX file cannot be read: it is truncated or damaged.",
            remedy="Copy it again from where it was exported.",
        ) from error
    _check_weights(model, max_bytes)
    _check_operators(model)
    try:
        onnx.checker.check_model(model, full_check=model.ByteSize() < (1 << 30))
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise CompileFailed(
            f"The file is not a valid ONNX graph: {(str(error).strip().splitlines() or ['no reason given'])[0][:300]}",
            remedy="Export the model again with a current exporter.",
        ) from error
    return model


def _check_weights(model: onnx.ModelProto, max_bytes: int) -> None:
    """Raise ModelUnsafe for weights in other files and for more than `max_bytes` declared values."""
    declared = 0
    for tensor in _iterate_tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise ModelUnsafe(
                f"The weights of {tensor.name!r} are kept in another file, which the digest would not cover.",
                remedy="Save one file: onnx.save_model(onnx.load(path), new_path, save_as_external_data=False).",
            )
        declared += _count_declared_values(tensor)
    if declared > max_bytes:
        raise ModelUnsafe(
            f"The graph declares {declared} values; {max_bytes} bytes are allowed.",
            remedy="If the model is meant to be that large, raise UNDERSTUDY_COMPILE_MEMORY_BYTES.",
        )


def _check_operators(model: onnx.ModelProto) -> None:
    """Raise ModelUnsafe for operators that neither the standard, ONNX Runtime nor the model itself defines."""
    own = {(function.domain, function.name) for function in model.functions}
    bodies = [graph.node for graph in _iterate_graphs(model.graph)] + [function.node for function in model.functions]
    foreign = {
        f"{node.domain}.{node.op_type}"
        for body in bodies
        for node in body
        if node.domain not in _DOMAINS and (node.domain, node.op_type) not in own
    }
    if foreign:
        raise ModelUnsafe(
            f"The graph uses custom operators: {', '.join(sorted(foreign))}.",
            remedy="Export with standard ONNX operators only.",
        )
