"""The commands on both backends: the database directly, and a server."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run

Ask = Callable[..., Any]


@pytest.fixture(params=["direct", "server"])
def backend(request: pytest.FixtureRequest, run: Run, monkeypatch: pytest.MonkeyPatch) -> str:
    """Sends every command that takes --url to a server, through UNDERSTUDY_URL, or uses the database directly."""
    if request.param == "server":
        monkeypatch.setenv("UNDERSTUDY_URL", request.getfixturevalue("http_server"))
    return str(request.param)


def test_two_models_from_registration_to_deletion(backend: str, run: Run, ask: Ask, models: Path, clip: Path) -> None:
    one = ask("register", "--name", "One", "--path", "models/one.onnx", "--version", "v1", "--accuracy", "0.5")
    two = ask("register", "--name", "Two", "--path", "models\\two.onnx", "--activate")
    assert (one["is_active"], two["is_active"], two["file_path"]) == (False, True, "models/two.onnx")

    assert ask("predict", str(clip))["label"] == "b"
    assert ask("predict", str(clip), "--model", "1")["model"]["model_name"] == "One"
    assert ask("activate", "1")["state"] == "succeeded"
    assert ask("predict", str(clip))["label"] == "a"
    assert ask("show")["model_id"] == 1
    assert ask("show", "1", "--report")["source_digest"] == one["digest"]
    back = ask("rollback", "--wait-all")
    servers = 1 if backend == "server" else 0
    assert (back["kind"], back["rollout"]["complete"], back["rollout"]["replicas"]) == ("rollback", True, servers)
    assert ask("predict", str(clip))["label"] == "b"

    assert ask("update", "1", "--description", "Older", "--clear", "accuracy")["accuracy"] is None
    found = ask("list", "--search", "old", "--sort=-name")
    assert [model["model_name"] for model in found["models"]] == ["One"]
    assert found["active_model"]["model_name"] == "Two"
    assert ask("delete", "2", code=4)["code"] == "model_is_active"
    assert ask("delete", "1")["model_id"] == 1
    assert (models / "one.onnx").exists()
    events = [entry["event"] for entry in ask("history")["entries"]]
    assert events[0] == "deleted"
    assert events[-1] == "registered"
    assert {"activated", "rolled_back", "updated"} <= set(events)
    assert ask("status")["desired"]["model_id"] == 2
    live = ask("history", "--at", datetime.now(UTC).isoformat())["live_at"]
    assert (live["model_id"], live["digest"], live["precision"]) == (2, two["digest"], "float32")


def test_people_see_the_active_model_marked(backend: str, run: Run, models: Path, clip: Path) -> None:
    assert "is active, generation" not in run("register", "--name", "One", "--path", "models/one.onnx").stdout
    assert "One (model 1) is active, generation 1." in run("activate", "1").stdout
    assert "● 1" in " ".join(run("list").stdout.split())
    shown = run("predict", str(clip), str(clip), "--windows", "--top", "2").stdout
    assert shown.count("and 1 more labels") == 2
    assert "pcm" in shown.lower()
    assert "active" in run("show").stdout
    assert "parity" in run("show", "1", "--report").stdout
    assert "activated" in run("history", "1").stdout
    assert "digest" in run("history", "show", "--at", datetime.now(UTC).isoformat()).stdout
    assert "export" in run("history", "--help").stdout
    assert "generation 1" in run("status").stdout


def test_several_clips_answer_in_order_and_a_bad_one_does_not_stop_the_rest(
    ask: Ask, run: Run, models: Path, clip: Path, tmp_path: Path
) -> None:
    run("register", "--name", "One", "--path", "models/one.onnx", "--activate")
    noise = tmp_path / "letter.wav"
    noise.write_text("Dear all, this is not a recording.")
    answers = ask("predict", str(clip), str(noise), str(clip), code=5)
    assert [answer.get("label", answer.get("code")) for answer in answers] == ["a", "not_audio", "a"]
    assert answers[1]["file"] == str(noise)
    assert "letter.wav" in run("predict", str(clip), str(noise), code=5).stderr


def test_a_server_that_does_not_follow_is_named_with_an_exit_code_of_its_own(
    run: Run, ask: Ask, one: Path, home: Path
) -> None:
    error = {"type": "x", "title": "x", "status": 422, "code": "warm_up_failed", "detail": "No memory.", "remedy": "x"}
    with closing(sqlite3.connect(home / "var" / "understudy.db")) as database, database:
        database.execute(
            "INSERT INTO understudy_replicas (replica, generation, desired_generation, state, error, seen_at)"
            " VALUES ('far:7', 1, 100, 'failed', ?, ?)",
            (json.dumps(error), datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")),
        )
    waiting = ("activate", "1", "--wait-all", "--timeout", "0.1")
    answer = ask(*waiting, code=8)
    assert (answer["state"], answer["rollout"]["behind"][0]["replica"]) == ("succeeded", "far:7")
    printed = " ".join(run(*waiting, code=8).stdout.split())
    assert "0 of 1 servers serve it after 0." in printed
    assert "far:7 (failed) serves no model, as it reported" in printed
    assert "No memory." in printed
    problem = ask(*waiting, "--fail-fleet", "0.5", code=4)
    assert problem["code"] == "rollout_failed"
    assert "far:7 (warm_up_failed: No memory)" in problem["detail"]
    assert "need --wait-all" in " ".join(run("rollback", "--fail-fleet", "0.5", code=2).stderr.split())


REFUSALS = (
    (["show", "7"], 3, "model_not_found"),
    (["show"], 3, "active_model_not_found"),
    (["rollback"], 4, "nothing_to_roll_back"),
    (["register", "--name", "x", "--path", "models/none.onnx"], 5, "file_missing"),
    (["register", "--name", "x", "--path", "../x.onnx"], 5, "path_refused"),
    (["register", "--name", "x", "--path", "models/one.onnx", "--accuracy", "1.5"], 5, "request_invalid"),
    (["register", "--name", "x", "--path", "models/one.onnx", "--labels", "a,a,b"], 5, "spec_invalid"),
    (["list", "--sort", "color"], 5, "request_invalid"),
)


def test_errors_are_the_same_on_both_backends(backend: str, ask: Ask, run: Run, models: Path) -> None:
    run("migrate")
    for arguments, code, problem in REFUSALS:
        document = ask(*arguments, code=code)
        assert document["code"] == problem
        printed = run(*arguments, code=code)
        assert printed.stdout == ""
        assert document["detail"] in " ".join(printed.stderr.split())
        assert document["remedy"] in " ".join(printed.stderr.split())
    assert ask("list")["total"] == 0


def test_a_refused_activation_says_that_the_row_is_there(ask: Ask, models: Path) -> None:
    (models / "letter.onnx").write_text("not a model")
    problem = ask("register", "--name", "Letter", "--path", "models/letter.onnx", "--activate", code=5)
    assert "registered as model 1" in problem["notes"][0]
    assert ask("list")["models"][0]["compile_state"] == "refused"


def test_a_model_that_takes_tensors_goes_live_only_where_the_command_permits_it(
    backend: str, ask: Ask, run: Run, models: Path, tmp_path: Path
) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps({"input": "tensor"}))
    register = ("register", "--path", "models/one.onnx", "--spec", str(spec), "--activate")
    problem = ask(*register, "--name", "One", code=5)
    assert problem["code"] == "takes_tensors"
    assert "understudy activate 1 --tensors-only" in problem["remedy"]
    assert ask(*register, "--name", "Two", "--tensors-only")["is_active"]
    for command in (("activate", "1", "--tensors-only"), ("show",), *([("status",)] if backend == "server" else [])):
        assert "it cannot score recordings" in " ".join(run(*command).stdout.split())


def test_a_registration_without_activation_permits_nothing(run: Run, models: Path) -> None:
    refused = run("register", "--name", "One", "--path", "models/one.onnx", "--tensors-only", code=2)
    assert "needs --activate" in " ".join(refused.stderr.split())


def test_labels_come_from_a_list_or_a_file_and_win_over_the_spec(ask: Ask, models: Path, tmp_path: Path) -> None:
    names = tmp_path / "labels.txt"
    names.write_text("rain\nwind\nsea waves\n", "utf-8")
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps({"labels": ["x", "y", "z"], "aggregation": "max"}))
    ask("register", "--name", "One", "--path", "models/one.onnx", "--labels", str(names), "--spec", str(spec))
    report = ask("compile", "1")
    assert report["spec"]["labels"] == ["rain", "wind", "sea waves"]
    assert report["spec"]["aggregation"] == "max"
    assert [entry["actor"] for entry in ask("history", "1", "--event", "compiled")["entries"]] == ["cli"]


def test_an_update_that_changes_nothing_is_a_usage_error(run: Run) -> None:
    assert "at least one option" in " ".join(run("update", "1", code=2).stderr.split())


def test_predicting_leaves_no_trace_of_a_server(ask: Ask, models: Path, clip: Path) -> None:
    ask("register", "--name", "One", "--path", "models/one.onnx", "--activate")
    ask("predict", str(clip))
    assert ask("status")["replicas"] == []
