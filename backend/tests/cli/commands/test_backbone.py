"""The commands for backbones of the user's own; tests/serving/test_backbones.py has what models do with them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.embedding_networks import SAMPLES_SPEC, save_head, save_samples_network

Ask = Callable[..., Any]


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """An embedding network and its spec."""
    network, spec = save_samples_network(tmp_path / "own.onnx"), tmp_path / "own.json"
    spec.write_text(json.dumps(SAMPLES_SPEC))
    return str(network), str(spec)


def test_a_backbone_is_installed_used_and_removed(
    ask: Ask, run: Run, home: Path, clip: Path, files: tuple[str, str], tmp_path: Path
) -> None:
    network, spec = files
    assert ask("backbone", "list") == []
    made = ask("backbone", "install", "own/net", network, "--spec", spec)
    assert (made["name"], made["width"], made["sample_rate"], made["window_seconds"]) == ("own/net", 16, 8_000, 0.5)
    save_head(home / "models" / "head.onnx", 16)
    (tmp_path / "head.json").write_text('{"backbone": "own/net", "pooling": "mean", "labels": ["a", "b", "c"]}')
    run("register", "--name", "Head", "--path", "models/head.onnx", "--spec", str(tmp_path / "head.json"), "--activate")
    assert sum(ask("predict", str(clip))["scores"].values()) == pytest.approx(1)
    assert ask("backbone", "list") == [made | {"models": ["Head (model 1)"]}]
    assert "own/net" in run("backbone", "list").stdout
    assert [each["digest"] for each in ask("status")["backbones"]] == [made["digest"]]
    assert ask("doctor")["findings"] == []
    refused = run("backbone", "remove", "own/net", code=4)
    assert "needed by Head (model 1)" in refused.stderr
    (home / "models" / "backbones" / made["digest"] / "model.onnx").unlink()
    found = ask("doctor", code=1)["findings"]
    assert [each["code"] for each in found] == ["backbone_missing", "backbone_unreadable"]
    assert "needed by model 1 (Head)" in found[0]["what"]
    assert "understudy backbone install own/net FILE.onnx" in found[0]["remedy"]


@pytest.mark.parametrize(
    "arguments",
    [["own", "FILE"], ["own"], ["own", "FILE", "--spec", "SPEC", "--from", "FILE"], ["--spec", "SPEC"]],
)
def test_half_a_command_is_refused(run: Run, files: tuple[str, str], arguments: list[str]) -> None:
    values = {"FILE": files[0], "SPEC": files[1]}
    run("backbone", "install", *(values.get(each, each) for each in arguments), code=2)


def test_what_is_not_installed_cannot_be_removed(run: Run) -> None:
    assert "There is no backbone" in run("backbone", "remove", "own", code=6).stderr
    assert "built-in" in run("backbone", "remove", "yamnet", code=5).stderr


def test_a_spec_is_read_before_anything_is_compiled(run: Run, files: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"labels": ["a"]}')
    arguments = ["backbone", "install", "own", files[0], "--spec", str(tmp_path / "bad.json")]
    assert "bad.json, field labels" in run(*arguments, code=5).stderr
