"""Small embedding networks and heads as ONNX files, and the specs of the networks as backbones."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

RATE = 8_000
WINDOW = 4_000  # samples of the waveform network
SAMPLES_SPEC: dict[str, Any] = {
    "front_end": [{"kind": "waveform"}],
    "sample_rate": RATE,
    "hop_seconds": 0.25,
    "output": "embedding",
}
LOG_MEL_SPEC: dict[str, Any] = {
    "front_end": [
        {
            "kind": "log_mel",
            "stft": {"n_fft": 256, "hop_length": 80},
            "mel": {"n_mels": 64, "fmin": 50.0, "fmax": 4000.0},
        }
    ],
    "sample_rate": RATE,
    "arrangement": {"layout": {"channel": "first"}},
    "window_seconds": None,
    "output": "embedding",
}

_Node = tuple[str, Sequence[str], Sequence[str], dict[str, Any]]


def _save(
    path: Path,
    given: tuple[str, Sequence[int | str]],
    made: Sequence[tuple[str, Sequence[int | str]]],
    nodes: Sequence[_Node],
    constants: dict[str, NDArray[Any]],
) -> Path:
    def tensor(name: str, shape: Sequence[int | str]) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    graph = helper.make_graph(
        [helper.make_node(kind, inputs, outputs, **attributes) for kind, inputs, outputs, attributes in nodes],
        path.stem,
        [tensor(*given)],
        [tensor(*each) for each in made],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def save_log_mel_network(path: Path, *, width: int = 32, seed: int = 1) -> Path:
    """[n, 1, frames, 64] -> convolution -> mean over time and bands -> `embedding` [n, width] and `clipwise` [n, 3]."""
    random = np.random.default_rng(seed)
    constants = {
        "kernel": (0.05 * random.standard_normal((8, 1, 3, 3))).astype(np.float32),
        "weights": random.standard_normal((8, width)).astype(np.float32),
        "labels": random.standard_normal((width, 3)).astype(np.float32),
    }
    nodes: list[_Node] = [
        ("Conv", ["x", "kernel"], ["convolved"], {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
        ("Relu", ["convolved"], ["relu"], {}),
        ("GlobalAveragePool", ["relu"], ["pooled"], {}),
        ("Flatten", ["pooled"], ["flat"], {"axis": 1}),
        ("MatMul", ["flat", "weights"], ["embedding"], {}),
        ("MatMul", ["embedding", "labels"], ["clipwise"], {}),
    ]
    made: list[tuple[str, list[int | str]]] = [("clipwise", ["n", 3]), ("embedding", ["n", width])]
    return _save(path, ("x", ["n", 1, "frames", 64]), made, nodes, constants)


def save_samples_network(path: Path, *, width: int = 16, seed: int = 2, batch: int | str = "n") -> Path:
    """Samples [batch, 4000] -> convolution -> mean over time -> `embedding` [batch, width]."""
    random = np.random.default_rng(seed)
    constants = {
        "channel": np.array([1]),
        "kernel": (0.2 * random.standard_normal((6, 1, 64))).astype(np.float32),
        "weights": random.standard_normal((6, width)).astype(np.float32),
    }
    nodes: list[_Node] = [
        ("Unsqueeze", ["x", "channel"], ["signal"], {}),
        ("Conv", ["signal", "kernel"], ["convolved"], {"strides": [16]}),
        ("Relu", ["convolved"], ["relu"], {}),
        ("GlobalAveragePool", ["relu"], ["pooled"], {}),
        ("Flatten", ["pooled"], ["flat"], {"axis": 1}),
        ("MatMul", ["flat", "weights"], ["embedding"], {}),
    ]
    return _save(path, ("x", [batch, WINDOW]), [("embedding", [batch, width])], nodes, constants)


def save_head(path: Path, width: int, *, seed: int = 3) -> Path:
    """[n, width] -> softmax over three labels [n, 3]."""
    weights = np.random.default_rng(seed).standard_normal((width, 3)).astype(np.float32)
    nodes: list[_Node] = [("MatMul", ["x", "weights"], ["z"], {}), ("Softmax", ["z"], ["y"], {"axis": -1})]
    return _save(path, ("x", ["n", width]), [("y", ["n", 3])], nodes, {"weights": weights})
