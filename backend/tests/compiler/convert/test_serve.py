"""ONNX serves a model where it can; a format's own runtime serves it where that is proven instead."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from understudy.compiler.convert.conversion import serve
from understudy.errors import CompileFailed, ParityFailed
from understudy.schemas.compiler.report import TensorSignature
from understudy.schemas.compiler.runtime import Runtime
from understudy.schemas.compiler.spec import OutputActivation, PartialSpec

Tensors = Mapping[str, NDArray[Any]]


class Doubling:
    """y = 2 x, which ONNX does not carry; `off` is the error of the kernels that serve."""

    runtime = Runtime.LITERT
    framework = "ai-edge-litert 2"
    written_by: str | None = None
    inputs: tuple[TensorSignature, ...] = (TensorSignature(name="x", dtype="float32", shape=(None, 3)),)
    hints = PartialSpec()
    tolerance = 1e-4
    notes: tuple[str, ...] = ("Install the backbone.",)

    def __init__(self, off: float) -> None:
        self._off = off

    def predict(self, tensors: Tensors) -> dict[str, NDArray[Any]]:
        return {"y": 2 * tensors["x"]}

    def predict_by_reference(self, tensors: Tensors) -> dict[str, NDArray[Any]]:
        return self.predict(tensors)

    def predict_as_served(self, tensors: Tensors) -> dict[str, NDArray[Any]]:
        return {"y": 2 * tensors["x"] + np.float32(self._off)}

    def find_final_activation(self, output: str) -> OutputActivation:
        return OutputActivation.NONE

    def to_onnx(self) -> onnx.ModelProto:
        raise CompileFailed("ONNX has no equivalent for Doubling.")


def test_the_own_runtime_serves_the_file_itself_after_it_was_proven(tmp_path: Path) -> None:
    source, out = tmp_path / "model.tflite", tmp_path / "out"
    source.write_bytes(b"flatbuffer")
    out.mkdir()
    served = serve(Doubling(off=0.0), source, out, lambda _: None)
    assert served.runtime is Runtime.LITERT
    assert [path.name for path in out.iterdir()] == ["model.tflite"]
    assert (out / "model.tflite").read_bytes() == b"flatbuffer"
    assert [(output.name, output.shape) for output in served.outputs] == [("y", (None, 3))]
    assert "ONNX has no equivalent for Doubling." in served.notes[0]


def test_a_model_whose_own_kernels_disagree_is_refused_with_both_reasons(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(ParityFailed, match=r"differs by 0\.5.*As ONNX: ONNX has no equivalent") as refused:
        serve(Doubling(off=0.5), tmp_path / "model.tflite", tmp_path / "out", lambda _: None)
    assert refused.value.remedy.endswith("Install the backbone.")
    assert list((tmp_path / "out").iterdir()) == []
