"""Labels given on the command line, at registration and afterwards."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.types import ModelFactory

Ask = Callable[..., Any]
REGISTER = ("register", "--name", "Head", "--path", "models/head.onnx")


@pytest.fixture
def head(home: Path, shared_store: None, make_model: ModelFactory) -> Path:
    """The file of a model whose three labels no source names."""
    return make_model(home / "models" / "head.onnx", labels=None)


def flatten(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("url", [False, True])
def test_the_live_models_labels_are_named_and_go_live_with_the_next_activation(
    run: Run, ask: Ask, head: Path, clip: Path, url: bool, request: pytest.FixtureRequest
) -> None:
    where = ("--url", request.getfixturevalue("http_server")) if url else ()
    shown = run(*REGISTER, "--activate", *where).stdout
    assert "The live model's labels have no names" in flatten(shown)
    assert ask("predict", str(clip), *where)["label"] == "class_0"
    (head.parent / "labels.txt").write_bytes("chien\nforêt\nmer\n".encode("cp1252"))
    facts = flatten(run("show", *where).stdout)
    assert "labels.txt beside the file names 3 labels; use it with --labels models/labels.txt" in facts
    assert "sound Sound: sample_rate 16,000 Hz, channels auto, resampler soxr_hq" in facts
    assert "not said: the labels' names; class_0, class_1, … stand in" in facts
    given = "chien,forêt,mer" if url else "models/labels.txt"  # a server's file is not on the caller's machine
    changed = run("update", "1", "--labels", given, *where)
    assert "The live model answers with the earlier spec and labels until" in flatten(changed.stdout)
    assert ask("predict", str(clip), *where)["label"] == "class_0"
    [warning] = ask("activate", "1", *where)["warnings"]
    assert warning.startswith("Features not proved")
    assert ask("predict", str(clip), *where)["label"] == "chien"
    assert ask("show", *where)["notes"] == []


def test_a_label_file_is_found_in_the_home_folder_and_its_guessed_encoding_is_said(run: Run, head: Path) -> None:
    (head.parent / "labels.txt").write_bytes("chien\nforêt\nmer\n".encode("cp1252"))
    registered = run(*REGISTER, "--labels", "models\\labels.txt")
    assert "3 given: chien, forêt, mer" in flatten(registered.stdout)
    assert "was read as Windows-1252. Check the labels: chien, forêt, mer" in flatten(registered.stderr)


@pytest.mark.parametrize(
    "given", ["models/labels.txt", "models\\names", "labels.json", "class_names.csv", "a,labels.TXT", "./x"]
)
def test_a_path_that_does_not_exist_is_an_error_and_no_label(ask: Ask, run: Run, head: Path, given: str) -> None:
    run("migrate")
    problem = ask(*REGISTER, "--labels", given, code=5)
    assert problem["code"] == "spec_invalid"
    assert f"there is no file {given}" in problem["detail"]
    assert ask("list")["total"] == 0


def test_a_comma_list_may_hold_a_slash(ask: Ask, head: Path) -> None:
    assert ask(*REGISTER, "--labels", "cat/dog, rain,sea")["given_spec"]["labels"] == ["cat/dog", "rain", "sea"]


@pytest.mark.parametrize("content", ["пищит\nжжжж\n".encode("cp1251"), b"\xff\xfe\x00", b"\x81\n", b""])
def test_a_label_file_that_cannot_be_read_is_refused_by_its_name(ask: Ask, head: Path, content: bytes) -> None:
    (head.parent / "labels.txt").write_bytes(content)
    problem = ask(*REGISTER, "--labels", "models/labels.txt", code=5)
    assert problem["code"] == "spec_invalid"
    assert "models/labels.txt" in problem["detail"]


def test_a_spec_replaces_what_was_given_and_labels_change_only_the_labels(ask: Ask, head: Path, tmp_path: Path) -> None:
    spec = tmp_path / "spec.json"
    spec.write_bytes(json.dumps({"labels": ["x", "y", "z"], "top_k": 2}).encode("utf-16"))
    ask(*REGISTER, "--labels", "a,b,c", "--spec", str(spec))
    named = ask("update", "1", "--labels", "dog,rain,sea")["given_spec"]
    assert (named["labels"], named["top_k"]) == (["dog", "rain", "sea"], 2)
    spec.write_text(json.dumps({"aggregation": "max"}))
    replaced = ask("update", "1", "--spec", str(spec))["given_spec"]
    assert (replaced["labels"], replaced["top_k"], replaced["aggregation"]) == (None, None, "max")
    ask("update", "1", "--labels", "a,b,c")
    cleared = ask("update", "1", "--clear", "labels", "--clear", "accuracy")["given_spec"]
    assert (cleared["labels"], cleared["aggregation"]) == (None, "max")
    assert not any(ask("update", "1", "--clear", "spec")["given_spec"].values())


def test_labels_that_do_not_fit_are_refused_at_once_where_the_model_is_compiled(ask: Ask, head: Path) -> None:
    ask(*REGISTER, "--activate")
    problem = ask("update", "1", "--labels", "dog,rain", code=5)
    assert problem["detail"] == "2 labels are given, but the model returns 3 scores."
    assert ask("show")["spec_pending"] is False
