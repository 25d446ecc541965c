"""Writes the models that the browser tests register: `python make_models.py FOLDER`.

Each is a log-mel classifier in ONNX, so that no training framework is needed and compiling takes a second:
`ten` and `six` weigh the same patch differently and share three labels; `wide` has as many labels as AudioSet; `mfcc` takes a preset's features at another
sample rate, and its labels have no names; `broken` is what `git clone` leaves of a model when Git LFS is not installed.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

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


def write(path: Path, spec: dict[str, Any], item: tuple[int, ...], outputs: int, seed: int) -> None:
    weights = np.random.default_rng(seed).normal(0, 0.04, (math.prod(item), outputs)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["patch"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["scores"], axis=-1),
        ],
        "classifier",
        [helper.make_tensor_value_info("patch", TensorProto.FLOAT, ["n", *item])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", outputs])],
        [numpy_helper.from_array(weights, "weights")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    path.with_suffix(".spec.json").write_text(json.dumps(spec), encoding="utf-8")


folder = Path(sys.argv[1])
write(folder / "ten.onnx", {"input": "log_mel_patch", "labels": TEN}, PATCH, len(TEN), 1)
write(folder / "six.onnx", {"input": "log_mel_patch", "labels": SIX}, PATCH, len(SIX), 2)
write(folder / "wide.onnx", {"input": "log_mel_patch", "labels": [f"label {at}" for at in range(521)]}, PATCH, 521, 4)
write(folder / "mfcc.onnx", {"preset": "librosa-mfcc40-mean", "sample_rate": 16_000}, (40,), 3, 3)
(folder / "broken.onnx").write_text(
    f"version https://git-lfs.github.com/spec/v1\noid sha256:{'4d7a' * 16}\nsize 16777216\n", encoding="utf-8"
)
