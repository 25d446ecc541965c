"""Loading a compiled folder and replaying what the compiler recorded."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from understudy.errors import BackboneMissing, SpecInvalid, WarmUpFailed
from understudy.inference.clip_input.yamnet_backbone import YamnetBackbone
from understudy.inference.pipeline.pipeline import Pipeline

MODEL: dict[str, Any] = {"input": "waveform", "labels": ("a", "b"), "window_seconds": 1.0, "hop_seconds": 1.0}


def reload(folder: Path) -> Pipeline:
    return Pipeline.load(folder, backbone=None, max_whole_clip_seconds=600)


def respoil(folder: Path, **changes: Any) -> None:
    with np.load(folder / "probes.npz") as archive:
        probes = {name: archive[name] for name in archive.files}
    np.savez(folder / "probes.npz", **(probes | changes))


def test_recorded_outputs_come_out_again(load: Any, mean_graph: Any) -> None:
    assert load(mean_graph(["n", 16_000], [1.0, 2.0]), **MODEL).warm_up() == 0.0


@pytest.mark.parametrize(
    ("tolerance", "shift", "fails"), [(None, 1e-3, True), (None, 1e-5, False), (1e-2, 1e-3, False)]
)
def test_difference_beyond_the_tolerance_fails(
    load: Any, mean_graph: Any, tmp_path: Path, tolerance: float | None, shift: float, fails: bool
) -> None:
    pipeline = load(mean_graph(["n", 16_000], [1.0, 2.0]), tolerance=tolerance, **MODEL)
    assert pipeline.warm_up() == 0.0
    with np.load(tmp_path / "probes.npz") as archive:
        recorded = archive["out.y"]
    respoil(tmp_path, **{"out.y": recorded + np.float32(shift)})
    if fails:
        with pytest.raises(WarmUpFailed, match="differ"):
            reload(tmp_path).warm_up()
    else:
        assert reload(tmp_path).warm_up() > 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"in.x": np.full((2, 16_000), np.nan, np.float32)}, "not numbers"),
        ({"in.x": np.zeros((1, 7, 7), np.float32)}, "failed on the recorded input"),
        ({"out.y": np.zeros((5, 2), np.float32)}, "shape"),
        ({"out.gone": np.zeros((5, 2), np.float32)}, "failed on the recorded input"),
    ],
)
def test_probe_that_does_not_come_out_fails(
    load: Any, mean_graph: Any, tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    load(mean_graph(["n", 16_000], [1.0, 2.0]), **MODEL)
    respoil(tmp_path, **change)
    with pytest.raises(WarmUpFailed, match=words):
        reload(tmp_path).warm_up()


@pytest.mark.parametrize("name", ["report.json", "model.onnx", "probes.npz"])
@pytest.mark.parametrize("body", [None, b"", b"{}", b"PK\x03\x04 half"])
def test_incomplete_folder_fails(load: Any, mean_graph: Any, tmp_path: Path, name: str, body: bytes | None) -> None:
    load(mean_graph(["n", 16_000], [1.0, 2.0]), **MODEL)
    if body is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(body)
    with pytest.raises(WarmUpFailed):
        reload(tmp_path)


def test_backbone_that_answers_with_nan_fails(load: Any, mean_graph: Any, graph: Any, tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
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
                "narrow": np.full((1, 521), np.nan, np.float32),
            },
        )
    )
    pipeline = load(
        mean_graph(["n", 1024], [1.0]), backbone=YamnetBackbone.load(path), input="embedding", labels=("a",)
    )
    with pytest.raises(WarmUpFailed, match="The YAMNet backbone's output holds values"):
        pipeline.warm_up()


@pytest.mark.parametrize("kind", ["embedding", "scores"])
def test_head_without_a_backbone_is_refused(load: Any, mean_graph: Any, kind: str) -> None:
    width = 1024 if kind == "embedding" else 521
    with pytest.raises(BackboneMissing, match="no backbone"):
        load(mean_graph(["n", width], [1.0]), input=kind, labels=("a",))


@pytest.mark.parametrize(
    ("shape", "spec", "words"),
    [
        (["n", 16_000], MODEL | {"labels": ("a", "b", "c")}, "3 labels"),
        (["n", 16_000], MODEL | {"window_seconds": 0.5}, "16000 steps"),
        (["n", 16_000, 2], MODEL, "does not take"),
        (["n", 96, 64], MODEL, "does not take"),
        (["n", 96, 40], MODEL | {"input": "log_mel_patch", "window_seconds": 0.96}, "does not take"),
        (["n", 96, 64], MODEL | {"input": "log_mel_patch", "sample_rate": 22_050}, "16000 Hz"),
        (["n", 512], MODEL | {"input": "embedding", "window_seconds": None}, "1024"),
    ],
)
def test_spec_that_does_not_fit_the_graph_is_refused(
    load: Any, mean_graph: Any, backbone: Any, shape: list[Any], spec: dict[str, Any], words: str
) -> None:
    with pytest.raises(SpecInvalid, match=words):
        load(mean_graph(shape, [1.0, 2.0]), backbone=backbone, **spec)


def test_graph_with_two_inputs_is_refused_for_audio(load: Any, graph: Any) -> None:
    adding = graph({"p": ["n", 4], "q": ["n", 4]}, {"y": ["n", 4]}, [("Add", ["p", "q"], ["y"], {})])
    probe = {"p": np.ones((2, 4), np.float32), "q": np.ones((2, 4), np.float32)}
    with pytest.raises(SpecInvalid, match="2 inputs"):
        load(adding, probe=probe, **MODEL)
