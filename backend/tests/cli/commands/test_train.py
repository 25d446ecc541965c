import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile

from tests.cli.conftest import Run
from understudy.training.clips.synthesis import synthesize
from understudy.yamnet.constants import SAMPLE_RATE

Ask = Callable[..., Any]


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two kinds of synthesized sounds in two folds."""
    folder = tmp_path_factory.mktemp("recordings")
    for kind in ("alarm_beep", "rain"):
        (folder / kind).mkdir()
        for seed in range(4):
            clip = synthesize(kind, 2.0, seed)
            soundfile.write(folder / kind / f"{1 + seed % 2}-{seed}.wav", clip, SAMPLE_RATE, subtype="PCM_16")
    return folder


@pytest.fixture
def backbone(run: Run, data_dir: Path) -> None:
    run("backbone", "install", "--from", str(data_dir / "yamnet" / "yamnet.npz"))


@pytest.mark.data
@pytest.mark.frameworks
@pytest.mark.usefixtures("backbone")
def test_a_head_is_trained_and_registered_in_one_command_and_goes_live_only_with_the_scores_of_its_training(
    ask: Ask, run: Run, recordings: Path, home: Path
) -> None:
    arguments = ["train", "--data", str(recordings), "--out", "models/pair.keras", "--epochs", "10"]
    trained = ask(*arguments, "--pooling", "mean", "--name", "Pair", "--version", "v1")
    assert trained["evaluation"]["accuracy"] == 1.0
    assert (trained["model"]["version"], trained["model"]["accuracy"]) == ("v1", 1.0)
    assert Path(trained["model_path"]) == home / "models" / "pair.keras"
    assert trained["pooling"] == "mean"
    assert trained["model"]["examples"]["text"] == "8 not run yet"
    assert "exists" in ask(*arguments, code=5)["detail"]
    assert ask("doctor")["findings"] == []

    examples = home / "models" / "pair.examples" / "examples.csv"
    true = examples.read_text()
    row = true.splitlines()[1]
    examples.write_text(true.replace(row, ",".join([*row.split(",")[:2], "0.001", "0.123", "0.877"])))
    run("update", "1", "--examples", str(examples))
    problem = ask("activate", "1", code=5)
    assert (problem["code"], problem["detail"][:12]) == ("examples_missed", "7 of 8 examp")
    examples.write_text(true)
    run("update", "1", "--examples", str(examples))
    assert ask("activate", "1")["warnings"] == []
    assert ask("show", "1")["examples"]["text"] == "8 of 8 within 1e-06"


@pytest.mark.parametrize(
    ("option", "code"),
    [("--name=a/ready", "name_refused"), ("--name= ", "name_refused"), ("--version=" + "v" * 51, "request_invalid")],
)
def test_a_name_that_would_be_refused_ends_the_command_before_the_training(
    ask: Ask, recordings: Path, option: str, code: str
) -> None:
    # Training would end with backbone_missing.
    arguments = ["train", "--data", str(recordings), "--out", "models/x.keras", "--name=a", option]
    assert ask(*arguments, code=5)["code"] == code


def test_a_refusal_in_the_child_process_is_the_error_of_the_command(ask: Ask, recordings: Path) -> None:
    problem = ask("train", "--data", str(recordings), "--out", "models/x.keras", code=6)
    assert problem["code"] == "backbone_missing"
    assert "understudy backbone install" in problem["remedy"]


def test_a_child_process_that_dies_is_an_error_with_its_last_output(
    ask: Ask, recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = tmp_path / "dying"
    dying.write_text("#!/bin/sh\ncat > /dev/null\necho 'out of luck' >&2\nkill -9 $$\n")
    dying.chmod(dying.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(dying))
    problem = ask("train", "--data", str(recordings), "--out", "models/x.keras", code=1)
    assert problem["detail"] == "The training process ended with SIGKILL: out of luck"


def test_a_model_that_could_not_be_registered_is_not_trained_first(ask: Ask, recordings: Path, tmp_path: Path) -> None:
    out = tmp_path / "elsewhere.keras"
    assert ask("train", "--data", str(recordings), "--out", str(out), "--name", "x", code=5)["code"] == "path_refused"


def test_activating_needs_a_name_to_register(run: Run, recordings: Path) -> None:
    assert "--name" in run("train", "--data", str(recordings), "--out", "models/x.keras", "--activate", code=2).stderr


@pytest.mark.data
def test_the_backbone_is_installed_from_a_local_file(ask: Ask, run: Run, data_dir: Path) -> None:
    assert ask("backbone", "status", code=6)["code"] == "backbone_missing"
    installed = ask("backbone", "install", "--from", str(data_dir / "yamnet" / "yamnet.npz"))
    assert ask("backbone", "status") == installed
    assert installed["digest"][:8] in run("backbone", "status").stdout
    run("migrate")
    assert ask("status")["backbone"]["installed"]
