"""Writes the models that the browser tests register: `python make_models.py FOLDER`.

Each is a log-mel classifier in ONNX, so that no training framework is needed and compiling takes a second:
`ten` and `six` weigh the same patch differently and share three labels; `broken` is what `git clone` leaves of a
model when Git LFS is not installed.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

PATCH = (96, 64)
TEN = (
    "dog",
    "rooster",
    "rain",
    "sea waves",
    "crackling fire",
    "crying baby",
    "sneezing",
    "clock tick",
    "helicopter",
    "chainsaw",
)
SIX = ("dog", "rain", "crying baby", "siren", "glass breaking", "speech")


def write(path: Path, labels: tuple[str, ...], seed: int) -> None:
    weights = np.random.default_rng(seed).normal(0, 0.04, (PATCH[0] * PATCH[1], len(labels))).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["patch"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["scores"], axis=-1),
        ],
        "classifier",
        [helper.make_tensor_value_info("patch", TensorProto.FLOAT, ["n", *PATCH])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", len(labels)])],
        [numpy_helper.from_array(weights, "weights")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    spec = {"input": "log_mel_patch", "labels": labels}
    path.with_suffix(".spec.json").write_text(json.dumps(spec), encoding="utf-8")


folder = Path(sys.argv[1])
write(folder / "ten.onnx", TEN, 1)
write(folder / "six.onnx", SIX, 2)
(folder / "broken.onnx").write_text(
    f"version https://git-lfs.github.com/spec/v1\noid sha256:{'4d7a' * 16}\nsize 16777216\n", encoding="utf-8"
)
