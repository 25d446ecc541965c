"""The shared backbone."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from understudy.errors import BackboneMissing
from understudy.inference.clip_input.yamnet_backbone import YamnetBackbone
from understudy.inference.runtime.onnx_session import build_session


def test_runs_patches_to_embeddings_and_scores(backbone: YamnetBackbone) -> None:
    embeddings, scores = backbone.run(np.ones((3, 96, 64), np.float32))
    assert (embeddings.shape, scores.shape) == ((3, 1024), (3, 521))
    np.testing.assert_array_equal(backbone.embed(np.ones((1, 96, 64), np.float32)), embeddings[:1])
    np.testing.assert_array_equal(backbone.score(np.ones((1, 96, 64), np.float32)), scores[:1])


def test_is_known_by_the_digest_of_its_file(backbone: YamnetBackbone, backbone_file: Path) -> None:
    assert backbone.digest == hashlib.sha256(backbone_file.read_bytes()).hexdigest()
    assert YamnetBackbone.load(backbone_file).digest == backbone.digest


def test_absent_file_names_the_install_command(tmp_path: Path) -> None:
    with pytest.raises(BackboneMissing, match="no YAMNet backbone") as caught:
        YamnetBackbone.load(tmp_path / "yamnet.onnx")
    assert "backbone install" in caught.value.remedy


def test_another_graph_or_no_graph_is_not_the_backbone(mean_graph: Any, tmp_path: Path) -> None:
    path = tmp_path / "yamnet.onnx"
    for body in (mean_graph(["n", 96, 64], [1.0]), b"no graph", b""):
        path.write_bytes(body)
        with pytest.raises(BackboneMissing, match="not a YAMNet backbone"):
            YamnetBackbone.load(path)


def test_a_file_replaced_while_it_loads_does_not_go_by_the_digest_of_the_one_before(
    mean_graph: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = tmp_path / "yamnet.onnx", tmp_path / "other.onnx"
    for each in (path, other):
        each.write_bytes(mean_graph(["n", 96, 64], [1.0]))
    monkeypatch.setattr(
        "understudy.inference.clip_input.yamnet_backbone.build_session",
        lambda model: build_session(other.replace(model)),
    )
    with pytest.raises(BackboneMissing, match="replaced while it was read") as caught:
        YamnetBackbone.load(path)
    assert caught.value.remedy == "Try again."
