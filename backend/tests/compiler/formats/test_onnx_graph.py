"""Signature, final activation and labels are read from an ONNX graph without running it."""

import json

import onnx
import pytest
from onnx import TensorProto, helper

from understudy.compiler.formats import onnx_graph
from understudy.schemas.compiler.spec import OutputActivation


def model(*nodes: onnx.NodeProto, inputs: tuple[str, ...] = ("x",), **props: str) -> onnx.ModelProto:
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 3]) for name in inputs]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])
    made = helper.make_model(helper.make_graph(list(nodes), "g", values, [output]))
    helper.set_model_props(made, props)
    return made


def chain(*ops: str) -> onnx.ModelProto:
    names = ["x", *(f"t{index}" for index in range(len(ops) - 1)), "y"]
    return model(*(helper.make_node(op, [names[i]], [names[i + 1]]) for i, op in enumerate(ops)))


@pytest.mark.parametrize(
    ("ops", "found"),
    [
        (("Relu", "Softmax"), OutputActivation.SOFTMAX),
        (("Sigmoid", "Identity", "Reshape", "Cast", "Squeeze"), OutputActivation.SIGMOID),
        (("Softmax", "QuantizeLinear", "DequantizeLinear"), OutputActivation.SOFTMAX),
        (("Softmax", "Relu"), OutputActivation.NONE),
        (("Identity",), OutputActivation.NONE),
        (("Tanh", "Flatten"), OutputActivation.NONE),
    ],
)
def test_the_final_activation_is_seen_through_nodes_that_only_reshape(
    ops: tuple[str, ...], found: OutputActivation
) -> None:
    assert onnx_graph.find_final_activation(chain(*ops), "y") is found


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ('{"rain": 1, "dog": 0}', ("dog", "rain")),
        ('{"rain": 1, "dog": null}', None),
        (json.dumps(["dog", "rain"]), ("dog", "rain")),
        ("dog, rain", ("dog", "rain")),
        (json.dumps({"10": "z", "2": "b", "0": "a"}), ("a", "b", "z")),
        ('"dog"', None),
        ("dog,,rain", None),
        ("dog,dog", None),
        ("", None),
    ],
)
def test_labels_are_read_from_the_metadata_in_the_forms_people_write(text: str, labels: tuple[str, ...] | None) -> None:
    assert onnx_graph.read_metadata_labels(model(helper.make_node("Identity", ["x"], ["y"]), labels=text)) == labels


def test_a_model_without_metadata_has_no_labels() -> None:
    assert onnx_graph.read_metadata_labels(chain("Relu")) is None


def test_initializers_that_old_files_also_list_as_inputs_are_left_out() -> None:
    made = model(helper.make_node("Add", ["x", "w"], ["y"]), inputs=("x", "w"))
    made.graph.initializer.append(helper.make_tensor("w", TensorProto.FLOAT, [1, 3], [1, 2, 3]))
    assert [(s.name, s.dtype, s.shape) for s in onnx_graph.read_inputs(made)] == [("x", "float32", (None, 3))]


def test_renaming_reaches_into_subgraphs() -> None:
    inner = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["z"])],
        "inner",
        [],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)],
    )
    made = model(helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner))
    onnx_graph.rename_tensors(made, {"x": "waveform", "y": "scores"})
    assert made.graph.input[0].name == "waveform"
    assert made.graph.output[0].name == made.graph.node[0].output[0] == "scores"
    assert [attribute.g.node[0].input[0] for attribute in made.graph.node[0].attribute] == ["waveform"] * 2


def test_operators_without_a_schema_are_named() -> None:
    made = chain("Relu", "EagerPyFunc", "Softmax")
    assert onnx_graph.find_unknown_ops(made) == ["EagerPyFunc"]
    assert onnx_graph.find_unknown_ops(chain("Relu", "Softmax")) == []


def test_values_that_are_not_tensors_are_named() -> None:
    made = chain("Relu")
    made.graph.output.append(helper.make_tensor_sequence_value_info("map", TensorProto.FLOAT, None))
    made.graph.output.append(helper.make_tensor_value_info("word", TensorProto.STRING, ["N"]))
    assert onnx_graph.find_non_tensors(made) == ["map", "word"]
