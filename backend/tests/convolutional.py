"""A small convolutional classifier of log-mel patches, for tests that need something worth quantising."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

LABELS = ("a", "b", "c")


def write_convolutional(path: Path, *, seed: int = 0, layers: int = 4, spread: float = 1.0) -> Path:
    """Input float32 [n, 96, 64], output float32 [n, 3] behind a softmax; `layers` counts the convolutions.

    `spread` makes the channels' ranges differ by that factor without changing what the network computes.
    """
    generator = np.random.default_rng(seed)
    constants: dict[str, NDArray[Any]] = {"axis": np.array([1], np.int64)}
    nodes = [helper.make_node("Unsqueeze", ["patch", "axis"], ["channel"])]
    source, width = "channel", 1
    factors = np.ones(1, np.float32)
    for number in range(layers):
        depthwise = number % 2 == 1
        after = width if depthwise else 8 if number == 0 else 16
        shape = (after, 1 if depthwise else width, 3, 3)
        kernel = generator.standard_normal(shape).astype(np.float32) * np.float32((2 / np.prod(shape[1:])) ** 0.5)
        grown = np.geomspace(1, spread, after).astype(np.float32)
        kernel /= factors.reshape((-1, 1, 1, 1) if depthwise else (1, -1, 1, 1))
        kernel *= grown[:, None, None, None]
        name, factors = f"conv{number}", grown
        constants |= {f"{name}/kernel": kernel, f"{name}/bias": np.float32(0.1) * grown}
        inputs = [source, f"{name}/kernel", f"{name}/bias"]
        group = width if depthwise else 1
        nodes.append(
            helper.make_node("Conv", inputs, [name], name=name, strides=[2, 2], pads=[0, 0, 1, 1], group=group)
        )
        nodes.append(helper.make_node("Relu", [name], [f"{name}/relu"], name=f"{name}/relu"))
        source, width = f"{name}/relu", after
    constants |= {
        "weights": (generator.standard_normal((width, 3)) / factors[:, None]).astype(np.float32),
        "bias": np.zeros(3, np.float32),
    }
    nodes += [
        helper.make_node("GlobalAveragePool", [source], ["pooled"], name="pool"),
        helper.make_node("Flatten", ["pooled"], ["flat"], name="flatten"),
        helper.make_node("Gemm", ["flat", "weights", "bias"], ["logits"], name="dense"),
        helper.make_node("Softmax", ["logits"], ["scores"], axis=-1, name="softmax"),
    ]
    graph = helper.make_graph(
        nodes,
        "convolutional",
        [helper.make_tensor_value_info("patch", TensorProto.FLOAT, ["n", 96, 64])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {"labels": json.dumps(LABELS)})
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    return path
