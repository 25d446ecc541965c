"""`understudy history` names the system user, and exports what can be verified."""

import json
import os
import pwd
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run

Ask = Callable[..., Any]


def test_a_command_names_the_system_user_and_not_one_of_the_environment(
    ask: Ask, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "somebody else")
    ask("register", "--name", "One", "--path", "models/one.onnx")
    entry = ask("history", "--event", "registered")["entries"][0]
    user = {"principal_id": None, "name": pwd.getpwuid(os.getuid()).pw_name, "kind": "system_user"}
    assert (entry["actor"], entry["principal"]) == ("cli", user)


def test_an_export_is_never_written_over_and_says_what_was_changed(
    ask: Ask, run: Run, home: Path, models: Path, tmp_path: Path
) -> None:
    ask("register", "--name", "One", "--path", "models/one.onnx")
    file = tmp_path / "history.jsonl"
    exported = ask("history", "export", str(file))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert lines[-1] == {"entries": exported["entries"], "head": exported["head"]}
    assert exported["fault"] is None
    assert ask("history", "export", str(file), code=4)["code"] == "file_exists"
    with closing(sqlite3.connect(home / "var" / "understudy.db", isolation_level=None)) as connection:
        connection.execute("DELETE FROM understudy_history")
    told = run("history", "export", str(tmp_path / "after.jsonl"), code=1)
    assert "Removed: position 1" in told.stdout


def test_a_time_that_is_none_and_one_to_come_are_refused(run: Run, models: Path) -> None:
    assert "is no time" in run("history", "--at", "yesterday", code=2).stderr
    run("register", "--name", "One", "--path", "models/one.onnx")
    assert "has not come yet" in run("history", "--at", "2999-01-01", code=5).stderr
