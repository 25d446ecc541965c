"""The networks that everyone serves: YAMNet, two small heads on it, and a tiny dense layer."""

import os
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from app.compiler import backbone_graph, backbone_weights
from benchmarks.paths import ROOT

LABELS = ("chainsaw", "clock", "cry", "dog", "fire", "helicopter", "rain", "rooster", "sneeze", "waves")
TINY = (8, 4)
_EMBEDDING = 1024
_SHARPNESS = 0.5


def data_folder() -> Path | None:
    """The folder of real recordings and weights, where there is one."""
    folder = Path(os.environ.get("UNDERSTUDY_TEST_DATA") or ROOT.parent / "shared" / "data")
    return folder if folder.is_dir() else None


def write_networks(folder: Path) -> str:
    """Write backbone.npz, yamnet.onnx, head_a.onnx, head_b.onnx, heads.npz and tiny.onnx; says whose weights they are.

    The backbone is the real YAMNet where the data folder has it, else a random network of the same shape, which costs
    the same to run. The heads are random, each with its own seed: 1024 values to ten labels behind a softmax.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = data_folder()
    real = source / "yamnet" / "yamnet.npz" if source else None
    if real and real.is_file():
        weights, origin = backbone_weights.read_file(real), "YAMNet's own weights"
    else:
        weights, origin = random_weights(), "random weights of YAMNet's shape"
    np.savez(folder / "backbone.npz", allow_pickle=False, **weights)
    onnx.save(backbone_graph.build(weights, source=origin, source_digest=""), folder / "yamnet.onnx")
    heads = {f"head_{name}": head_weights(seed) for seed, name in enumerate("ab")}
    for name, kernel in heads.items():
        onnx.save(_dense(kernel, "embedding", softmax=True), folder / f"{name}.onnx")
    tiny = np.random.default_rng(5).normal(size=TINY).astype(np.float32)
    np.savez(folder / "heads.npz", allow_pickle=False, tiny=tiny, **heads)
    onnx.save(_dense(tiny, "x", softmax=False), folder / "tiny.onnx")
    return origin


def random_weights() -> backbone_weights.Weights:
    """Folded weights of YAMNet's shapes that keep activations in range (He et al. 2015: variance 2 / fan-in)."""
    random = np.random.default_rng(0)
    weights: backbone_weights.Weights = {}
    for name, shape in backbone_weights.folded_shapes().items():
        # The last axis counts the outputs, except of a depthwise kernel, whose channels each have nine inputs.
        fan_in = 9 if "depthwise" in name else int(np.prod(shape[:-1]))
        scale = np.sqrt(2 / fan_in) if name.endswith("kernel") else 0.01
        weights[name] = random.normal(0, scale, shape).astype(np.float32)
    return weights


def head_weights(seed: int) -> NDArray[np.float32]:
    """A random kernel [1024, 10]."""
    return np.random.default_rng(seed).normal(0, _SHARPNESS, (_EMBEDDING, len(LABELS))).astype(np.float32)


def _dense(kernel: NDArray[np.float32], name: str, *, softmax: bool) -> onnx.ModelProto:
    """float32 [n, in] times `kernel` [in, out], behind a softmax or not."""
    inputs, outputs = kernel.shape
    nodes = [helper.make_node("MatMul", [name, "kernel"], ["logits" if softmax else "y"])]
    if softmax:
        nodes.append(helper.make_node("Softmax", ["logits"], ["y"], axis=-1))
    graph = helper.make_graph(
        nodes,
        "dense",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", inputs])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", outputs])],
        [numpy_helper.from_array(kernel, "kernel")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    return model
