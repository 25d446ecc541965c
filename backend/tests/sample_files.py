"""Writes the small files that tests and `make torture` share: classifiers that can be told apart, and a tone."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import soundfile
from onnx import TensorProto, helper, numpy_helper


def write_classifier(
    path: Path, *, winner: int = 0, labels: Sequence[str] | None = ("a", "b", "c"), sensitive: bool = False
) -> Path:
    """Write a log-mel classifier that answers label number `winner` whatever it hears, and return its path.

    Input float32 [n, 96, 64], output float32 [n, 3] behind a softmax; `labels` travel in the file's metadata. With
    `sensitive` the scores depend on what is heard, though the winner does not.
    """
    weights = np.full((1, 3), 0.1 * sensitive, np.float32) * np.arange(3, dtype=np.float32)
    bias = np.where(np.arange(3) == winner, np.float32(4), np.float32(0))
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["patch", "axes"], ["mean"], keepdims=0),
            helper.make_node("Unsqueeze", ["mean", "last"], ["column"]),
            helper.make_node("Gemm", ["column", "weights", "bias"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["scores"], axis=-1),
        ],
        "classifier",
        [helper.make_tensor_value_info("patch", TensorProto.FLOAT, ["n", 96, 64])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 3])],
        [
            numpy_helper.from_array(np.array([1, 2], np.int64), "axes"),
            numpy_helper.from_array(np.array([1], np.int64), "last"),
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(bias, "bias"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    if labels is not None:
        helper.set_model_props(model, {"labels": json.dumps(list(labels))})
    onnx.save(model, path)
    return path


def tone(seconds: float = 1.0, rate: int = 16_000, hertz: float = 440.0) -> bytes:
    """A sine at half of full scale as a 16-bit wav file."""
    samples = 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype="PCM_16")
    return file.getvalue()
