"""ONNX serves a model where it can; a format's own runtime serves it where that is proven instead."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from understudy.compiler.convert.conversion import serve
from understudy.errors import CompileFailed, ParityFailed
from understudy.schemas.compiler.report import TensorSignature
from understudy.schemas.compiler.runtime import Runtime
from understudy.schemas.compiler.spec import OutputActivation, PartialSpec

Tensors = Mapping[str, NDArray[Any]]


class Doubling:
    """y = 2 x, which ONNX does not carry; `off` is the error of the kernels that serve."""

    runtime = Runtime.LITERT
    is_quantized = False
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


class Quantized(Doubling):
    """The same as a quantized file that ONNX carries with an error of 0.5 %; `off` is the error of its own kernels."""

    is_quantized = True
    tolerance = 2e-2

    def to_onnx(self) -> onnx.ModelProto:
        graph = helper.make_graph(
            [helper.make_node("Mul", ["x", "two"], ["y"])],
            "doubling",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
            [numpy_helper.from_array(np.array([2.01], np.float32), "two")],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def test_a_quantized_model_is_served_by_its_own_runtime_although_onnx_is_within_tolerance(tmp_path: Path) -> None:
    source, out = tmp_path / "model.tflite", tmp_path / "out"
    source.write_bytes(b"flatbuffer")
    out.mkdir()
    served = serve(Quantized(off=0.0), source, out, lambda _: None)
    assert served.runtime is Runtime.LITERT
    assert max(probe.max_abs_error for probe in served.agreement.probes) == 0.0
    assert [path.name for path in out.iterdir()] == ["model.tflite"]
    assert "ai-edge-litert 2 serves it as it is" in served.notes[0]


def test_a_quantized_model_that_its_own_runtime_cannot_serve_says_how_far_onnx_is(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    served = serve(Quantized(off=0.5), tmp_path / "model.tflite", out, lambda _: None)
    assert served.runtime is Runtime.ONNX
    assert [path.name for path in out.iterdir()] == ["model.onnx"]
    furthest = max(probe.max_abs_error for probe in served.agreement.probes)
    assert furthest > 0
    assert f"ONNX, which serves it, differs from it by up to {furthest:.2g}" in served.notes[0]


def test_a_model_whose_own_kernels_disagree_is_refused_with_both_reasons(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(ParityFailed, match=r"differs by 0\.5.*As ONNX: ONNX has no equivalent") as refused:
        serve(Doubling(off=0.5), tmp_path / "model.tflite", tmp_path / "out", lambda _: None)
    assert refused.value.remedy.endswith("Install the backbone.")
    assert list((tmp_path / "out").iterdir()) == []
