"""The doctor's command: what it prints, its document and its exit codes. tests/doctor has the checks themselves."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run

Ask = Callable[..., Any]


def test_a_sound_installation_is_reported_as_such(ask: Ask, run: Run, one: Path) -> None:
    report = ask("doctor")
    assert report["findings"] == []
    looked_at = ["folders", "database", "history", "model files", "compiled store", "examples", "backbone", "servers"]
    assert report["looked_at"] == looked_at
    assert "Nothing is wrong" in run("doctor").stdout


def test_the_exit_code_is_1_until_the_fix_has_repaired_everything(ask: Ask, one: Path, home: Path) -> None:
    with closing(sqlite3.connect(home / "var" / "understudy.db", isolation_level=None)) as connection:
        connection.execute("DROP INDEX ml_models_one_active")
    [finding] = ask("doctor", code=1)["findings"]
    assert (finding["code"], finding["state"]) == ("index_missing", "open")
    assert "understudy doctor --fix" in finding["remedy"]
    [finding] = ask("doctor", "--fix", code=0)["findings"]
    assert (finding["code"], finding["state"]) == ("index_missing", "fixed")
    assert ask("doctor", code=0)["findings"] == []


def test_people_read_what_to_do(run: Run, one: Path) -> None:
    one.unlink()
    output = run("doctor", code=1).stdout
    assert "open" in output
    assert "Put models/one.onnx back" in output
    assert "1 found, 0 fixed, 1 left open" in output


def test_a_database_that_does_not_answer_is_a_finding(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    assert [finding["code"] for finding in ask("doctor", code=1)["findings"]] == ["database_unavailable"]
