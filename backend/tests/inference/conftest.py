"""Small graphs, compiled folders and clips for the pipeline."""

import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import soundfile
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from understudy.audio.clip import Clip
from understudy.audio.opening import AudioLimits, open_clip
from understudy.inference.clip_input.yamnet_backbone import YamnetBackbone
from understudy.inference.pipeline.pipeline import Pipeline
from understudy.inference.runtime.blas_threads import pin_blas
from understudy.inference.runtime.onnx_session import build_session
from understudy.schemas.compiler.report import CompileReport, ParityProbe
from understudy.schemas.compiler.spec import OutputActivation, Spec

Dim = int | str
Op = tuple[str, Sequence[str], Sequence[str], dict[str, Any]]
Graph = Callable[..., bytes]
Load = Callable[..., Pipeline]


@pytest.fixture(scope="session", autouse=True)
def _one_thread_for_blas() -> None:
    pin_blas()


@pytest.fixture(scope="session")
def graph() -> Graph:
    """An ONNX file of the given operators (type, inputs, outputs, attributes) and constants."""

    def build(
        inputs: dict[str, Sequence[Dim]],
        outputs: dict[str, Sequence[Dim]],
        operators: Sequence[Op],
        constants: dict[str, NDArray[Any]] | None = None,
        dtype: int = TensorProto.FLOAT,
    ) -> bytes:
        model = helper.make_model(
            helper.make_graph(
                [helper.make_node(kind, given, made, **attributes) for kind, given, made, attributes in operators],
                "small",
                [helper.make_tensor_value_info(name, dtype, shape) for name, shape in inputs.items()],
                [helper.make_tensor_value_info(name, dtype, shape) for name, shape in outputs.items()],
                [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()],
            ),
            opset_imports=[helper.make_opsetid("", 18)],
            ir_version=10,
        )
        onnx.checker.check_model(model)
        body: bytes = model.SerializeToString()
        return body

    return build


@pytest.fixture(scope="session")
def mean_graph(graph: Graph) -> Graph:
    """Means of every item, over all axes but the batch, times `weights` [labels]: [n, *item] to [n, labels]."""

    def build(shape: Sequence[Dim], weights: Sequence[float], *, scale: float = 1.0) -> bytes:
        return graph(
            {"x": shape},
            {"y": [shape[0], len(weights)]},
            [
                ("ReduceMean", ["x", "axes"], ["mean"], {"keepdims": 0}),
                ("Unsqueeze", ["mean", "last"], ["column"], {}),
                ("Mul", ["column", "weights"], ["y"], {}),
            ],
            {
                "axes": np.arange(1, len(shape)),
                "last": np.array([1]),
                "weights": np.array([weights], np.float32) * np.float32(scale),
            },
        )

    return build


@pytest.fixture(scope="session")
def backbone_file(graph: Graph, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stand-in with the backbone's signature: each embedding and score is the patch's mean."""
    path = tmp_path_factory.mktemp("backbone") / "yamnet.onnx"
    path.write_bytes(
        graph(
            {"patches": ["n", 96, 64]},
            {"embeddings": ["n", 1024], "scores": ["n", 521]},
            [
                ("ReduceMean", ["patches", "axes"], ["mean"], {"keepdims": 0}),
                ("Unsqueeze", ["mean", "last"], ["column"], {}),
                ("Mul", ["column", "wide"], ["embeddings"], {}),
                ("Mul", ["column", "narrow"], ["scores"], {}),
            ],
            {
                "axes": np.array([1, 2]),
                "last": np.array([1]),
                "wide": np.ones((1, 1024), np.float32),
                "narrow": np.ones((1, 521), np.float32),
            },
        )
    )
    return path


@pytest.fixture(scope="session")
def backbone(backbone_file: Path) -> YamnetBackbone:
    return YamnetBackbone.load(backbone_file)


def report(spec: Spec, graph_activation: OutputActivation, tolerance: float | None) -> CompileReport:
    parity = () if tolerance is None else (ParityProbe(input_shapes=((1,),), max_abs_error=0.0, tolerance=tolerance),)
    return CompileReport(
        key="k",
        source_digest="0" * 64,
        source_bytes=1,
        format="onnx",
        framework="onnx",
        written_by=None,
        inputs=(),
        outputs=(),
        spec=spec,
        graph_activation=graph_activation,
        parity=parity,
        onnx_digest="0" * 64,
        onnx_bytes=1,
        seconds=0.0,
        peak_memory_bytes=0,
        isolation=(),
        versions={},
        compiled_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Write a compiled folder, as the compiler does, and load it."""

    def build(
        model: bytes,
        *,
        probe: dict[str, NDArray[Any]] | None = None,
        backbone: YamnetBackbone | None = None,
        graph_activation: OutputActivation = OutputActivation.NONE,
        whole: float = 600.0,
        tolerance: float | None = None,
        **spec: Any,
    ) -> Pipeline:
        complete = Spec.model_validate({"labels_named": True, "activation": OutputActivation.NONE} | spec)
        (tmp_path / "model.onnx").write_bytes(model)
        (tmp_path / "report.json").write_text(report(complete, graph_activation, tolerance).model_dump_json())
        session = build_session(model)
        names = [tensor.name for tensor in session.outputs]
        feed = probe or {
            tensor.name: np.ones([2 if size is None else size for size in tensor.shape], np.float32)
            for tensor in session.inputs
        }
        answers = session.run(names, feed)
        arrays = {f"in.{name}": value for name, value in feed.items()}
        arrays |= {f"out.{name}": value for name, value in zip(names, answers, strict=True)}
        np.savez(tmp_path / "probes.npz", allow_pickle=False, **arrays)
        return Pipeline.load(tmp_path, backbone=backbone, max_whole_clip_seconds=whole)

    return build


@pytest.fixture(scope="session")
def clip() -> Callable[..., Clip]:
    """A clip of float samples [n]; 16 kHz unless said otherwise."""

    def build(samples: Any, rate: int = 16_000) -> Clip:
        body = io.BytesIO()
        soundfile.write(body, np.asarray(samples, np.float32), rate, format="WAV", subtype="FLOAT")
        body.seek(0)
        return open_clip(body, AudioLimits(7200.0))

    return build
