"""Examples on the command line: given at registration, shown, changed and removed."""

import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.sample_files import tone


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """An examples.csv beside its two clips; the model of `models` that answers a agrees with it."""
    folder = tmp_path / "clips"
    (folder / "sub").mkdir(parents=True)
    (folder / "one.wav").write_bytes(tone())
    (folder / "sub" / "two.wav").write_bytes(tone(1.5))
    csv = folder / "examples.csv"
    csv.write_text("file,label,score\none.wav,a,0.965\nsub/two.wav,a,\n")
    return csv


def test_examples_are_proved_at_activation_shown_and_removed(
    run: Run, ask: Callable[..., Any], models: Path, examples: Path
) -> None:
    registered = ["register", "--name", "One", "--path", "models/one.onnx", "--examples", str(examples)]
    assert ask(*registered)["examples"]["text"] == "2 not run yet"
    assert "understudy compile 1" in run("examples", "1").stdout
    assert "2 of 2 within 0.0004" in run("compile", "1").stdout
    assert ask("activate", "1")["warnings"] == []
    assert "2 of 2 within 0.0004" in run("show", "1").stdout
    shown = run("examples", "1").stdout
    assert all(word in shown for word in ("sub/two.wav", "0.9650", "0.9647", "float32 with understudy"))
    assert ask("examples", "1")["proof"]["agreed"] == 2
    assert ask("update", "1", "--clear", "examples")["examples"]["text"] == "features not proved"
    assert "features not proved" in run("show", "1").stdout


def test_a_model_that_misses_is_registered_and_not_activated(
    run: Run, ask: Callable[..., Any], models: Path, examples: Path
) -> None:
    registered = ["register", "--name", "Two", "--path", "models/two.onnx", "--examples", str(examples), "--activate"]
    problem = ask(*registered, code=5)
    assert problem["code"] == "examples_missed"
    assert "0 of 2 examples agree" in problem["detail"]
    assert "understudy activate 1" in problem["notes"][0]
    assert "the model answers" in run("show", "1").stdout
    examples.write_text("file,label\none.wav,b\n")
    assert ask("update", "1", "--examples", str(examples))["examples"]["examples"] == 1
    assert run("activate", "1").exit_code == 0


def test_a_file_that_cannot_be_used_registers_nothing(
    run: Run, ask: Callable[..., Any], models: Path, examples: Path
) -> None:
    run("migrate")
    examples.write_text("file,label\nthree.wav,a\n")
    registered = ["register", "--name", "One", "--path", "models/one.onnx", "--examples", str(examples)]
    assert "no clip three.wav" in ask(*registered, code=5)["detail"]
    assert ask("list")["total"] == 0
    examples.write_text("file,label\none.wav,a\n")
    run("update", "1", "--examples", str(examples), "--clear", "examples", code=2)


def test_doctor_finds_examples_that_are_missing_and_removes_those_of_no_model(
    run: Run, ask: Callable[..., Any], home: Path, one: Path, examples: Path
) -> None:
    ask("update", "1", "--examples", str(examples))
    assert run("doctor").exit_code == 0
    [folder] = (home / "var" / "examples").iterdir()
    (folder / "left-over").write_bytes(b"x")
    clip = next(path for path in folder.iterdir() if path.name != "left-over")
    content = clip.read_bytes()
    clip.unlink()
    found = {each["code"]: each["state"] for each in ask("doctor", "--fix", code=1)["findings"]}
    assert found == {"example_clips_unneeded": "fixed", "example_clips_missing": "open"}
    clip.write_bytes(content)
    assert run("doctor").exit_code == 0


def test_doctor_removes_the_examples_of_a_deleted_model(
    run: Run, ask: Callable[..., Any], home: Path, models: Path, examples: Path
) -> None:
    ask("register", "--name", "One", "--path", "models/one.onnx", "--examples", str(examples))
    assert "examples" in ask("delete", "1")["detail"]
    assert "examples_unreferenced" in {each["code"] for each in ask("doctor", code=1)["findings"]}
    ask("doctor", "--fix")
    assert list((home / "var" / "examples").iterdir()) == []
    assert ask("register", "--name", "One", "--path", "models/one.onnx")["examples"]["examples"] == 0


@pytest.fixture
def written(models: Path, examples: Path) -> Path:
    """The folder that a training wrote beside one.onnx."""
    folder = models / "one.examples"
    shutil.copytree(examples.parent, folder)
    digest = sha256((models / "one.onnx").read_bytes()).hexdigest()
    (folder / "model.sha256").write_text(f"{digest}  ../one.onnx\n")
    return folder


REGISTER = ("register", "--name", "One", "--path", "models/one.onnx")


def test_what_a_training_wrote_for_a_file_is_registered_with_it(
    run: Run, ask: Callable[..., Any], written: Path
) -> None:
    registered = ask(*REGISTER)
    assert registered["examples"]["text"] == "2 not run yet"
    assert "models/one.examples/examples.csv, which was written for this file" in registered["notes"][-1]
    assert ask("activate", "1")["warnings"] == []
    assert "2 of 2 within 0.0004" in run("show", "1").stdout


def test_what_was_written_for_another_file_is_only_offered(ask: Callable[..., Any], written: Path) -> None:
    (written / "model.sha256").write_text(f"{'0' * 64}  ../one.onnx\n")
    registered = ask(*REGISTER)
    assert registered["examples"]["text"] == "features not proved"
    assert "may belong to another file of this name" in registered["notes"][-1]
    assert "update 1 --examples models/one.examples/examples.csv" in registered["notes"][-1]
    assert "features not proved" in ask("activate", "1")["warnings"][0].lower()


def test_what_a_training_wrote_and_cannot_be_used_registers_nothing(
    run: Run, ask: Callable[..., Any], written: Path
) -> None:
    run("migrate")
    (written / "one.wav").unlink()
    assert ask(*REGISTER, code=5)["code"] == "examples_invalid"
    assert ask("list")["total"] == 0


def test_examples_that_a_person_gave_win_over_those_beside_the_file(
    run: Run, ask: Callable[..., Any], written: Path, examples: Path
) -> None:
    examples.write_text("file,label\none.wav,a\n")
    assert ask(*REGISTER, "--examples", str(examples))["examples"]["text"] == "1 not run yet"
    run("delete", "1")
    assert ask(*REGISTER)["examples"]["examples"] == 1
