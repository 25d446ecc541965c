"""An ONNX file, read as data before ONNX Runtime builds it."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from understudy.errors import CompileFailed, ModelUnsafe

# The standard, and the contributed operators that are compiled into ONNX Runtime itself.
_DOMAINS = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft"}


def _iterate_graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
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
    """Refuse weights kept in other files, operators of unknown origin and graphs that break the standard.

    Returns the parsed model. Raises ModelUnsafe and CompileFailed.
    """
    try:
        model = onnx.load(path, load_external_data=False)
    except DecodeError as error:
        raise CompileFailed(
            "The ONNX file cannot be read: it is truncated or damaged.",
            remedy="Copy it again from where it was exported.",
        ) from error
    declared = 0
    for tensor in _iterate_tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise ModelUnsafe(
                f"The weights of {tensor.name!r} are kept in another file, which the digest would not cover.",
                remedy="Save one file: onnx.save_model(onnx.load(path), new_path, save_as_external_data=False).",
            )
        declared += _count_declared_values(tensor)
    if declared > max_bytes:
        raise ModelUnsafe(f"The graph declares {declared} values; compile_memory_bytes allows {max_bytes} bytes.")
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
            f"The graph uses operators of its own: {', '.join(sorted(foreign))}.",
            remedy="Export with standard ONNX operators only.",
        )
    try:
        onnx.checker.check_model(model, full_check=model.ByteSize() < (1 << 30))
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise CompileFailed(
            f"The file is not a valid ONNX graph: {(str(error).strip().splitlines() or ['no reason given'])[0][:300]}",
            remedy="Export the model again with a current exporter.",
        ) from error
    return model
