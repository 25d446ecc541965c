"""Commands that read write nothing: no row, no table, no folder, no file."""

import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.types import ModelFactory

Ask = Callable[..., Any]

_READING = (
    ("list",),
    ("show",),
    ("show", "1"),
    ("show", "1", "--report"),
    ("examples", "1"),
    ("history",),
    ("status",),
    ("predict", "CLIP"),
    ("predict", "CLIP", "--model", "1"),
)
_HAND_MADE = (
    "CREATE TABLE ml_models (model_id INTEGER PRIMARY KEY, model_name VARCHAR(255) NOT NULL UNIQUE,"
    " file_path VARCHAR(500) NOT NULL, is_active BOOLEAN DEFAULT FALSE)"
)


def take_snapshot(folder: Path) -> dict[str, str]:
    """Every folder and file below `folder`, with the digest of its content."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in folder.rglob("*")
    }


def edit(home: Path, *statements: str) -> None:
    (home / "var").mkdir(exist_ok=True)
    with closing(sqlite3.connect(home / "var" / "understudy.db", isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def spell(arguments: tuple[str, ...], clip: Path) -> list[str]:
    return [str(clip) if each == "CLIP" else each for each in arguments]


@pytest.mark.parametrize("arguments", _READING, ids=" ".join)
def test_a_home_without_a_database_stays_as_it_is(arguments: tuple[str, ...], ask: Ask, home: Path, clip: Path) -> None:
    shutil.rmtree(home / "var")
    before = take_snapshot(home)
    problem = ask(*spell(arguments, clip), code=6)
    assert problem["code"] == "database_missing"
    assert str(home) in problem["detail"]
    for way in ("--home", "understudy demo", "understudy serve"):
        assert way in problem["remedy"]
    assert take_snapshot(home) == before


def test_a_table_that_was_never_migrated_stays_as_it_is(ask: Ask, home: Path, clip: Path) -> None:
    edit(home, _HAND_MADE, "INSERT INTO ml_models VALUES (1, 'a', 'a', TRUE), (2, 'b', 'b', TRUE)")
    before = take_snapshot(home)
    for arguments in _READING:
        problem = ask(*spell(arguments, clip), code=6)
        assert (problem["code"], "understudy migrate" in problem["remedy"]) == ("database_not_ready", True)
    found = {finding["code"] for finding in ask("doctor", code=1)["findings"]}
    assert {"not_migrated", "several_active"} <= found
    assert take_snapshot(home) == before


def test_an_installation_in_use_stays_as_it_is(
    ask: Ask, run: Run, home: Path, models: Path, clip: Path, make_model: ModelFactory
) -> None:
    """Also a model that was never compiled, and a row made by hand whose file was never read."""
    run("register", "--name", "One", "--path", "models/one.onnx", "--activate")
    run("register", "--name", "Two", "--path", "models/two.onnx")
    make_model(models / "by_hand.onnx", winner=2)
    edit(home, "INSERT INTO ml_models (model_name, file_path) VALUES ('By hand', 'models/by_hand.onnx')")
    before = take_snapshot(home)
    for arguments in _READING:
        run(*spell(arguments, clip))
    assert ask("predict", str(clip), "--model", "2")["label"] == "b"
    assert ask("predict", str(clip), "--model", "3")["label"] == "c"
    assert ask("show", "3")["digest"] is None
    run("doctor", code=1)
    assert take_snapshot(home) == before
    edit(home, "DROP INDEX ml_models_one_active", "UPDATE ml_models SET is_active = TRUE")
    before = take_snapshot(home)
    assert ask("list")["total"] == 3
    assert ask("predict", str(clip), code=4)["code"] == "several_active"
    assert take_snapshot(home) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("migrate",),
        ("register", "--name", "Two", "--path", "models/two.onnx"),
        ("update", "1", "--version", "v2"),
        ("activate", "1"),
        ("rollback",),
        ("delete", "2"),
        ("compile", "1"),
        ("serve", "--port", "0"),
    ],
    ids=" ".join,
)
def test_commands_that_write_deactivate_nothing_unasked(
    arguments: tuple[str, ...], run: Run, home: Path, models: Path
) -> None:
    edit(
        home,
        _HAND_MADE,
        "INSERT INTO ml_models VALUES (1, 'One', 'models/one.onnx', TRUE), (2, 'Two b', 'models/two.onnx', TRUE)",
    )
    refused = run(*arguments, code=4)
    assert "model 1 (One" in refused.stderr
    assert "model 2 (Two b" in refused.stderr
    assert "understudy doctor --fix --keep-active MODEL_ID" in refused.stderr
    with closing(sqlite3.connect(home / "var" / "understudy.db")) as connection:
        assert connection.execute("SELECT count(*) FROM ml_models WHERE is_active").fetchone() == (2,)
        assert connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone() == (1,)
    assert (models / "one.onnx").exists()


def test_the_chosen_one_of_several_active_rows_stays(ask: Ask, run: Run, home: Path, models: Path) -> None:
    edit(
        home,
        _HAND_MADE,
        "INSERT INTO ml_models VALUES (1, 'One', 'models/one.onnx', TRUE), (2, 'Two', 'models/two.onnx', TRUE)",
    )
    assert (models / "one.onnx").exists()
    run("doctor", "--keep-active", "1", code=2)
    assert {each["code"] for each in ask("doctor", "--fix", code=1)["findings"]} == {"several_active"}
    assert ask("doctor", "--fix", "--keep-active", "7", code=5)["code"] == "request_invalid"
    run("doctor", "--fix", "--keep-active", "1")
    assert ask("show")["model_id"] == 1
    assert ask("list")["total"] == 2
    assert {each["model_id"] for each in ask("history", "--event", "repaired")["entries"]} == {1, 2}
