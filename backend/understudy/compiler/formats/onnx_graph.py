"""Reads an ONNX graph: its signature, its final activation, its labels."""

import json
from collections.abc import Iterable

import onnx
from onnx import helper

from understudy.label_lists import order_labels
from understudy.schemas.compiler.report import TensorSignature
from understudy.schemas.compiler.spec import OutputActivation

_PASSED_THROUGH = {
    *("Identity", "Reshape", "Cast", "Squeeze", "Unsqueeze", "Flatten", "Transpose"),
    *("QuantizeLinear", "DequantizeLinear"),
}
_ACTIVATIONS = {"Softmax": OutputActivation.SOFTMAX, "Sigmoid": OutputActivation.SIGMOID}


def _read_signature(value: onnx.ValueInfoProto) -> TensorSignature:
    tensor = value.type.tensor_type
    shape = tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim)
    return TensorSignature(name=value.name, dtype=helper.tensor_dtype_to_np_dtype(tensor.elem_type).name, shape=shape)


def find_non_tensors(model: onnx.ModelProto) -> list[str]:
    """Return the names of inputs and outputs that are sequences, maps, strings or without a declared type."""
    values: Iterable[onnx.ValueInfoProto] = [*model.graph.input, *model.graph.output]
    return [
        value.name
        for value in values
        if value.type.tensor_type.elem_type in (onnx.TensorProto.UNDEFINED, onnx.TensorProto.STRING)
    ]


def read_inputs(model: onnx.ModelProto) -> tuple[TensorSignature, ...]:
    """Return the inputs that a caller must give, without the initializers that old files also list as inputs."""
    constants = {tensor.name for tensor in model.graph.initializer}
    return tuple(_read_signature(value) for value in model.graph.input if value.name not in constants)


def read_outputs(model: onnx.ModelProto) -> tuple[TensorSignature, ...]:
    """Return the outputs in the order of the graph."""
    return tuple(_read_signature(value) for value in model.graph.output)


def find_final_activation(model: onnx.ModelProto, output: str) -> OutputActivation:
    """Return the activation that gives `output`, ignoring nodes behind it that only change shape, type or precision."""
    producer = {name: node for node in model.graph.node for name in node.output}
    name = output
    while (node := producer.get(name)) is not None:
        if node.domain in ("", "ai.onnx") and node.op_type in _ACTIVATIONS:
            return _ACTIVATIONS[node.op_type]
        if node.op_type not in _PASSED_THROUGH or not node.input:
            break
        name = node.input[0]
    return OutputActivation.NONE


def read_metadata_labels(model: onnx.ModelProto) -> tuple[str, ...] | None:
    """Return the labels of the metadata entry `labels` or `classes`; None when there are none or they are not distinct.

    The entry may be a JSON list, a JSON object from index to label or back, or words separated by commas.
    """
    text = next((prop.value for prop in model.metadata_props if prop.key.lower() in ("labels", "classes")), "")
    if not text.strip():
        return None
    try:
        value = json.loads(text)
    except ValueError:
        value = text.split(",")
    if isinstance(value, dict):
        by_index = [value[key] for key in sorted(value, key=lambda key: (len(key), key))]
        value = by_index if all(isinstance(label, str) for label in by_index) else order_labels(value)
    words = tuple(str(word).strip() for word in value) if isinstance(value, list) else ()
    return words if words and all(words) and len(set(words)) == len(words) else None


def rename_tensors(model: onnx.ModelProto, names: dict[str, str]) -> None:
    """Rename the tensors in `names` (old name to new name) everywhere in the model, in subgraphs too."""

    def visit(graph: onnx.GraphProto) -> None:
        for value in [*graph.input, *graph.output, *graph.value_info, *graph.initializer]:
            value.name = names.get(value.name, value.name)
        for node in graph.node:
            node.input[:] = [names.get(name, name) for name in node.input]
            node.output[:] = [names.get(name, name) for name in node.output]
            for attribute in node.attribute:
                for inner in [attribute.g, *attribute.graphs] if attribute.HasField("g") else attribute.graphs:
                    visit(inner)

    visit(model.graph)


def find_unknown_ops(model: onnx.ModelProto) -> list[str]:
    """Return the operators that neither an ONNX schema nor a function of the model defines, sorted."""
    own = {(function.domain, function.name) for function in model.functions}
    opsets = {entry.domain: entry.version for entry in model.opset_import}
    unknown: set[str] = set()

    def visit(nodes: Iterable[onnx.NodeProto]) -> None:
        for node in nodes:
            domain = "" if node.domain == "ai.onnx" else node.domain
            if (node.domain, node.op_type) not in own and domain in ("", "ai.onnx.ml"):
                version = opsets.get(node.domain, opsets.get(domain, 1))
                if not onnx.defs.has(node.op_type, version, domain):
                    unknown.add(f"{domain}.{node.op_type}".lstrip("."))
            for attribute in node.attribute:
                for inner in [attribute.g, *attribute.graphs]:
                    visit(inner.node)

    visit(model.graph.node)
    for function in model.functions:
        visit(function.node)
    return sorted(unknown)
