import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run

_ARGUMENTS = (
    *("import-table", "--from", "models"),
    *("--map", "model_id=id,model_name=name,file_path=storage_path,description=framework"),
)


@pytest.fixture
def foreign(home: Path) -> Path:
    """The database's file, which holds a table `models` and nothing of ours."""
    place = home / "var" / "understudy.db"
    (home / "models" / "one.onnx").write_text("one")
    with closing(sqlite3.connect(place, isolation_level=None)) as connection:
        connection.execute(
            "CREATE TABLE models (id INTEGER PRIMARY KEY, name TEXT, framework TEXT, storage_path TEXT,"
            " is_active BOOLEAN, metrics TEXT)"
        )
        connection.execute("INSERT INTO models VALUES (3, 'One', 'keras', 'models/one.onnx', TRUE, '{}')")
    return place


def test_the_dry_run_tells_what_happens_and_what_to_do(run: Run, foreign: Path) -> None:
    shown = run(*_ARGUMENTS).stdout
    assert "metrics has no place in ml_models; 1 of 1 rows have a value." in shown
    assert "understudy activate 3" in shown
    assert "1 to copy, 0 imported before, 0 do not fit." in shown
    assert "To write, add --apply." in shown
    with closing(sqlite3.connect(foreign)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall() == [("models",)]


def test_what_is_applied_is_listed_and_can_be_repeated(ask: Callable[..., Any], run: Run, foreign: Path) -> None:
    done = ask(*_ARGUMENTS, "--apply")
    assert (done["applied"], [row["fate"] for row in done["rows"]]) == (True, ["copy"])
    [model] = ask("list")["models"]
    assert (model["model_id"], model["model_name"], model["is_active"]) == (3, "One", False)
    assert "0 copied, 1 imported before" in run(*_ARGUMENTS, "--apply").stdout
    assert foreign.exists()


def test_rows_that_do_not_fit_are_named_on_standard_error(run: Run, foreign: Path) -> None:
    with closing(sqlite3.connect(foreign, isolation_level=None)) as connection:
        connection.execute("INSERT INTO models (id, name, storage_path) VALUES (4, 'Two', 'models/two.onnx')")
    assert "do not fit" in run(*_ARGUMENTS).stdout
    refused = run(*_ARGUMENTS, "--apply", code=5).stderr
    assert "Row 4 (Two): storage_path: " in refused
    assert "--skip-unfit" in refused
    assert "1 copied" in run(*_ARGUMENTS, "--apply", "--skip-unfit").stdout
    run(*_ARGUMENTS, "--skip-unfit", code=2)
