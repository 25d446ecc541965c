"""The networks that everyone serves: YAMNet, two small heads on it, and a tiny dense layer."""

import os
from pathlib import Path

import numpy as np
import onnx
import onnx.compose
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from benchmarks.heads import fitted_head, random_head
from benchmarks.paths import ROOT
from understudy.inference.clip_input.yamnet_backbone import YamnetBackbone
from understudy.yamnet import onnx_network as backbone_graph
from understudy.yamnet import weights as backbone_weights

TINY = (8, 4)


def data_folder() -> Path | None:
    """The folder of real recordings and weights, where there is one."""
    folder = Path(os.environ.get("UNDERSTUDY_TEST_DATA") or ROOT.parent / "shared" / "data")
    return folder if folder.is_dir() else None


def write_networks(folder: Path) -> str:
    """Write backbone.npz, heads.npz and the ONNX files yamnet, head_a, head_b, net_a, net_b and tiny.

    The backbone is the real YAMNet where the data folder has it, else a random network of the same shape, which costs
    the same to run; which of them is returned. A head maps 1024 values to ten labels behind a softmax; each is fitted
    to recordings of its own, or random too. A net is backbone and head in one graph.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = data_folder()
    real = source / "yamnet" / "yamnet.npz" if source else None
    recordings = source / "esc10" if source else None
    if real and real.is_file():
        weights, origin = backbone_weights.read_weights(real), "YAMNet's own weights"
    else:
        weights, origin = random_weights(), "random weights of YAMNet's shape"
    np.savez(folder / "backbone.npz", allow_pickle=False, **weights)
    backbone = backbone_graph.build_network(weights, source=origin, source_digest="")
    onnx.save(backbone, folder / "yamnet.onnx")
    if real and real.is_file() and recordings and recordings.is_dir():
        loaded = YamnetBackbone.load(folder / "yamnet.onnx")
        heads = {name: fitted_head(loaded, recordings, fold) for name, fold in (("a", 1), ("b", 2))}
    else:
        heads = {name: random_head(seed) for name, seed in (("a", 1), ("b", 2))}
    for name, kernel in heads.items():
        head = _dense(kernel, "embedding", softmax=True)
        onnx.save(head, folder / f"head_{name}.onnx")
        onnx.save(_merged(backbone, head), folder / f"net_{name}.onnx")
    tiny = np.random.default_rng(5).normal(size=TINY).astype(np.float32)
    np.savez(folder / "heads.npz", allow_pickle=False, tiny=tiny, **heads)
    onnx.save(_dense(tiny, "x", softmax=False), folder / "tiny.onnx")
    return origin


def random_weights() -> backbone_weights.Weights:
    """Folded weights of YAMNet's shapes that keep activations in range (He et al. 2015: variance 2 / fan-in)."""
    random = np.random.default_rng(0)
    weights: backbone_weights.Weights = {}
    for name, shape in backbone_weights.list_expected_shapes().items():
        # The last axis counts the outputs, except of a depthwise kernel, whose channels each have nine inputs.
        fan_in = 9 if "depthwise" in name else int(np.prod(shape[:-1]))
        scale = np.sqrt(2 / fan_in) if name.endswith("kernel") else 0.01
        weights[name] = random.normal(0, scale, shape).astype(np.float32)
    return weights


def _merged(backbone: onnx.ModelProto, head: onnx.ModelProto) -> onnx.ModelProto:
    """Patches float32 [n, 96, 64] to the head's scores."""
    model = onnx.compose.merge_models(backbone, head, io_map=[("embeddings", "embedding")], outputs=["y"])
    del model.metadata_props[:]  # the names of YAMNet's own scores
    return model


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
