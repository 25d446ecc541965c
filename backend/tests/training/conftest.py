"""A stand-in for YAMNet with its inputs and outputs, and folders of synthesized recordings."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from understudy.training.clips.synthesis import synthesize
from understudy.yamnet.constants import CLASS_COUNT, EMBEDDING_SIZE, SAMPLE_RATE

Dataset = Callable[[Path, Sequence[str], int], Path]


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backbone of one random projection: a patch's mean and spread over time, to embeddings, to scores."""
    rng = np.random.default_rng(3)
    arrays: dict[str, NDArray[np.generic]] = {
        "axis": np.array([1], dtype=np.int64),
        "project": rng.normal(0, 0.1, (128, EMBEDDING_SIZE)).astype(np.float32),
        "classify": rng.normal(0, 0.05, (EMBEDDING_SIZE, CLASS_COUNT)).astype(np.float32),
    }
    nodes = [
        helper.make_node("ReduceMean", ["patches", "axis"], ["mean"], keepdims=0),
        helper.make_node("ReduceMax", ["patches", "axis"], ["peak"], keepdims=0),
        helper.make_node("Concat", ["mean", "peak"], ["both"], axis=1),
        helper.make_node("MatMul", ["both", "project"], ["projected"]),
        helper.make_node("Relu", ["projected"], ["embeddings"]),
        helper.make_node("MatMul", ["embeddings", "classify"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["scores"]),
    ]
    outputs = [("embeddings", EMBEDDING_SIZE), ("scores", CLASS_COUNT)]
    graph = helper.make_graph(
        nodes,
        "stand_in",
        [helper.make_tensor_value_info("patches", TensorProto.FLOAT, ["n", 96, 64])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width]) for name, width in outputs],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    path = tmp_path_factory.mktemp("backbone") / "yamnet.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    """FOLDER/label/FOLD-number.wav: two clips of 1.5 s in each of the folds 1 and 2 and more, for each label."""

    def make(folder: Path, labels: Sequence[str], folds: int) -> Path:
        for label in labels:
            (folder / label).mkdir(parents=True)
            for number in range(2 * folds):
                samples = synthesize(label, 1.5, seed=500 + number)
                soundfile.write(folder / label / f"{number % folds + 1}-{number}.wav", samples, SAMPLE_RATE)
        return folder

    return make
