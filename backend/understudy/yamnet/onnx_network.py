"""Builds YAMNet as an ONNX graph from folded weights."""

import json
from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from understudy import __version__
from understudy.yamnet.class_map import read_class_names
from understudy.yamnet.constants import CHANNELS, CLASS_COUNT, EMBEDDING_SIZE, PATCH_SHAPE, STRIDE_TWO_LAYERS

_OPSET = 18
_IR_VERSION = 10


def build_network(weights: Mapping[str, NDArray[np.float32]], *, source: str, source_digest: str) -> onnx.ModelProto:
    """Return the network from log-mel patches to embeddings and scores.

    The input is `patches` float32 [n, 96, 64]; the outputs are `embeddings` float32 [n, 1024] and `scores` float32
    [n, 521]. `weights` are complete and folded, as `weights.check_weights` returns them. The metadata hold `source`,
    `source_digest` and, as JSON in `labels`, the 521 class names, so that the file can also be registered as a model.

    Source of the layers: tensorflow/models, research/audioset/yamnet/yamnet.py.
    """
    graph = _Graph()
    net = _add_convolutions(graph, weights)
    pooled = graph.add("GlobalAveragePool", net, name="pool")
    graph.add("Flatten", pooled, name="flatten", output="embeddings")
    dense = [graph.add_constant(name, weights[name]) for name in ("dense/kernel", "dense/bias")]
    logits = graph.add("Gemm", "embeddings", *dense, name="dense")
    graph.add("Sigmoid", logits, name="sigmoid", output="scores")
    model = _make_model(graph)
    helper.set_model_props(
        model,
        {
            "source": source,
            "source_digest": source_digest,
            "license": "Weights Apache-2.0 (Google), class names CC BY 4.0 (AudioSet)",
            "labels": json.dumps(read_class_names()),
        },
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def _add_convolutions(graph: "_Graph", weights: Mapping[str, NDArray[np.float32]]) -> str:
    """Add the 14 convolution layers and return the name of their output float32 [n, 1024, rows, columns]."""
    net = graph.add(
        "Unsqueeze", "patches", graph.add_constant("axis", np.array([1], dtype=np.int64)), name="layer0/channel"
    )
    rows, columns = PATCH_SHAPE
    for number in range(1, len(CHANNELS) + 1):
        stride = 2 if number in STRIDE_TWO_LAYERS else 1
        pads = [*_compute_same_padding(rows, columns, stride)]
        if number == 1:
            kernel = weights["layer1/conv/kernel"].transpose(3, 2, 0, 1)
            net = graph.add_convolution(net, "layer1/conv", kernel, weights["layer1/conv/bias"], stride, pads)
        else:
            name = f"layer{number}/depthwise"
            kernel = weights[f"{name}/kernel"].transpose(2, 0, 1)[:, None]
            net = graph.add_convolution(net, name, kernel, weights[f"{name}/bias"], stride, pads)
            name = f"layer{number}/pointwise"
            kernel = weights[f"{name}/kernel"].T[:, :, None, None]
            net = graph.add_convolution(net, name, kernel, weights[f"{name}/bias"], 1, [0, 0, 0, 0])
        rows, columns = -(-rows // stride), -(-columns // stride)
    return net


def _make_model(graph: "_Graph") -> onnx.ModelProto:
    return helper.make_model(
        helper.make_graph(
            graph.nodes,
            "yamnet",
            [helper.make_tensor_value_info("patches", TensorProto.FLOAT, ["n", *PATCH_SHAPE])],
            [
                helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["n", EMBEDDING_SIZE]),
                helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", CLASS_COUNT]),
            ],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
        producer_name="understudy",
        producer_version=__version__,
    )


def _compute_same_padding(rows: int, columns: int, stride: int) -> tuple[int, int, int, int]:
    """Return TensorFlow's SAME padding for a 3 x 3 kernel as ONNX pads (top, left, bottom, right).

    The total is max((ceil(size / stride) - 1) * stride + 3 - size, 0); an odd row goes to the bottom, an odd column to
    the right. Source: tensorflow.org/api_docs/python/tf/nn, notes on padding.
    """
    total_rows, total_columns = (max((-(-size // stride) - 1) * stride + 3 - size, 0) for size in (rows, columns))
    top, left = total_rows // 2, total_columns // 2
    return top, left, total_rows - top, total_columns - left


class _Graph:
    """Collects nodes and constants; a node's output has the node's name unless another is given."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operator: str, *inputs: str, name: str, output: str | None = None) -> str:
        output = output or name
        self.nodes.append(helper.make_node(operator, inputs, [output], name=name))
        return output

    def add_constant(self, name: str, values: NDArray[np.generic]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add_convolution(
        self,
        source: str,
        name: str,
        kernel: NDArray[np.float32],
        bias: NDArray[np.float32],
        stride: int,
        pads: list[int],
    ) -> str:
        """Add convolution, bias and ReLU; `kernel` is [out, in / groups, rows, columns]; return the output's name."""
        inputs = [source, self.add_constant(f"{name}/kernel", kernel), self.add_constant(f"{name}/bias", bias)]
        groups = kernel.shape[0] if name.endswith("/depthwise") else 1
        self.nodes.append(
            helper.make_node("Conv", inputs, [name], name=name, strides=[stride, stride], pads=pads, group=groups)
        )
        return self.add("Relu", name, name=f"{name}/relu")
