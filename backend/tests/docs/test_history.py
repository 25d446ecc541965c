"""The script of docs/history.md finds what was changed in an export, with Python's standard library alone."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from understudy.models import HistoryEvent
from understudy.registry import schema
from understudy.registry.database.database import Database
from understudy.registry.models.history import model_history
from understudy.registry.models.history.export import export_history
from understudy.schemas.access.actor import ActingPrincipal, Actor
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "history.md").read_text(encoding="utf-8")
[SCRIPT] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

Lines = list[dict[str, object]]


def verify(file: Path, *kept: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-I", "-c", SCRIPT, file, *kept], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


@pytest.fixture
async def export(settings: Settings, tmp_path: Path) -> Path:
    file = tmp_path / "history.jsonl"
    actor = Actor("page", ActingPrincipal(1, "Änne\n\"'", "person"))
    async with Database(settings) as database:
        await schema.migrate(database)
        for number in range(4):
            async with database.write() as session:
                await model_history.record(
                    session,
                    HistoryEvent.UPDATED,
                    None,
                    actor=actor,
                    before={"accuracy": 0.1 + number, "description": "ü\x00\ud800"},
                    after={"accuracy": float("nan")},
                )
        report = await export_history(database, file)
        assert (report.entries, report.fault) == (4, None)
    return file


def test_the_script_has_ten_lines() -> None:
    assert len(SCRIPT.splitlines()) == 10


async def test_a_whole_export_is_verified_and_contains_what_was_kept(export: Path) -> None:
    lines = [json.loads(line) for line in export.read_text(encoding="utf-8").splitlines()]
    assert lines[0]["entry"]["principal_name"] == "Änne\n\"'"
    assert verify(export) == (0, "")
    assert verify(export, lines[1]["hash"], lines[-1]["head"]) == (0, "")
    code, error = verify(export, "f" * 64)
    assert (code, "not in this history" in error) == (1, True)


def change(lines: Lines) -> None:
    lines[1]["entry"]["actor"] = "cli"  # type: ignore[index]


def remove(lines: Lines) -> None:
    del lines[1]


def insert(lines: Lines) -> None:
    lines.insert(2, lines[1])


@pytest.mark.parametrize(("tamper", "position"), [(change, 2), (remove, 2), (insert, 3)])
async def test_a_tampered_export_is_found(export: Path, tamper: Callable[[Lines], None], position: int) -> None:
    lines: Lines = [json.loads(line) for line in export.read_text(encoding="utf-8").splitlines()]
    tamper(lines)
    export.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert verify(export) == (1, f"Position {position} was changed, removed or inserted.\n")


async def test_a_removed_end_is_found_also_by_the_hash_that_was_kept(export: Path) -> None:
    lines: Lines = [json.loads(line) for line in export.read_text(encoding="utf-8").splitlines()]
    kept = str(lines[-1]["head"])
    del lines[3]
    export.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert verify(export)[0] == 1
    lines[-1] = {"entries": 3, "head": lines[2]["hash"]}
    export.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert verify(export)[0] == 0  # the export alone does not show it
    assert verify(export, kept)[0] == 1
