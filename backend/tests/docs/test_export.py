"""The export page's scripts are the ones that were last run with the libraries themselves."""

import ast
import json
from hashlib import sha256
from typing import Any

import pytest

from scripts.originals.export_examples import PAGE, RESULTS, format_table, read_scripts, read_sidecars

TEXT = PAGE.read_text(encoding="utf-8")
SCRIPTS = read_scripts(TEXT)
RECORDED: dict[str, dict[str, Any]] = json.loads(RESULTS.read_text(encoding="utf-8"))


def test_the_page_has_a_script_and_a_sidecar_for_each_library() -> None:
    assert list(SCRIPTS) == list(RECORDED) == ["torch", "sklearn", "jax"]
    assert [list(spec.labels or ()) for spec in read_sidecars(TEXT)] == [row["labels"] for row in RECORDED.values()]


@pytest.mark.parametrize("library", ["torch", "sklearn", "jax"])
def test_the_script_was_run_as_it_is_and_its_export_agreed(library: str) -> None:
    ast.parse(SCRIPTS[library])
    row = RECORDED[library]
    assert sha256(SCRIPTS[library].encode()).hexdigest() == row["script"], "run scripts/originals/export_examples.py"
    assert row["difference"] <= 1e-5
    assert row["input"] == "embedding"
    assert row["shapes"][:2] == [[None, 1024], [None, 3]]


def test_the_table_shows_the_recorded_results() -> None:
    assert TEXT.endswith(format_table(RECORDED))
