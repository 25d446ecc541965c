"""`make torture`: its cheapest families hold, and it sees what does not hold."""

import importlib
import shutil
from pathlib import Path
from random import Random

import pytest

from scripts.torture import __main__ as torture
from scripts.torture.crashes import FAULT_POINTS
from scripts.torture.ledger import Ledger, Pending
from scripts.torture.model_files import ModelFile, build_model_files, mutate
from scripts.torture.plan import Plan
from scripts.torture.report import FamilyReport, format_table
from scripts.torture.server import find_misattribution

ROW = {"model_name": "m", "is_active": True, "file_path": "models/a.onnx", "file_exists": True, "file_changed": False}


@pytest.mark.timeout(120)
@pytest.mark.long
def test_the_cheapest_families_hold(tmp_path: Path) -> None:
    families = ["kills", "recordings"] if shutil.which("ffmpeg") else ["kills"]
    output = tmp_path / "table.md"
    status = torture.main(["--short", "--minutes", "0.015", "--only", *families, "--output", str(output)])
    assert status == 0, output.read_text()
    assert output.read_text().count("| 0 |") == len(families)


def test_a_violation_shows_in_the_table_and_in_the_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def violate(plan: Plan) -> FamilyReport:
        report = FamilyReport("broken", "attempts")
        report.check(True, "")
        report.check(False, "two rows were active")
        return report

    monkeypatch.setitem(torture.FAMILIES, "soak", violate)
    monkeypatch.setitem(torture.FAMILIES, "kills", lambda plan: FamilyReport("idle", "attempts"))
    assert torture.main(["--only", "soak", "kills"]) == 1
    table = capsys.readouterr().out
    assert "| broken | 2 attempts | 1 | 1 | 0.00 | 0.0 |" in table
    assert "two rows were active" in table
    assert "nothing was tried" in table


def test_a_family_that_was_skipped_says_why() -> None:
    table = format_table([FamilyReport("outages", "answers", skipped="PostgreSQL is not installed.")])
    assert "| outages | skipped |" in table
    assert "- outages: skipped. PostgreSQL is not installed." in table


@pytest.mark.parametrize("point", sorted({point for _, point in FAULT_POINTS}))
def test_every_fault_point_names_a_function(point: str) -> None:
    module, path, when = point.split(":")
    owner = importlib.import_module(module)
    for name in path.split("."):
        owner = getattr(owner, name)
    assert callable(owner)
    assert when in ("before", "after")


def _ledger() -> Ledger:
    return Ledger(names={1: "m"}, labels={1: "a"}, file_labels={"models/a.onnx": "a"}, active=1)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "model 1 was acknowledged and is gone"),
        ([ROW | {"model_id": 1, "model_name": "x"}], "model 1 is called x, and m was acknowledged"),
        ([ROW | {"model_id": 1}, ROW | {"model_id": 2}], "the models [1, 2] are active at once"),
        ([ROW | {"model_id": 1, "is_active": False}], "model None is active, and ['1'] was acknowledged or asked for"),
        ([ROW | {"model_id": 1, "file_changed": True}], "the file of model 1, models/a.onnx, is not the one"),
    ],
)
def test_the_ledger_notices_what_a_crash_lost(rows: list[dict[str, object]], sentence: str, tmp_path: Path) -> None:
    faults = list(_ledger().find_faults(rows, tmp_path))
    assert [each for each in faults if sentence in each], faults


def test_the_ledger_permits_both_outcomes_of_what_was_pending(tmp_path: Path) -> None:
    for name in ("m", "n"):
        ledger = _ledger()
        ledger.pending = Pending("rename", 1, "n")
        assert list(ledger.find_faults([ROW | {"model_id": 1, "model_name": name}], tmp_path)) == []
        assert ledger.names == {1: name}


def test_an_upload_that_was_acknowledged_must_be_there_unchanged(tmp_path: Path) -> None:
    ledger = Ledger(uploads={"a.onnx": "0" * 64})
    assert list(ledger.find_faults([], tmp_path)) == ["the upload a.onnx was acknowledged and is gone"]
    (tmp_path / "a.onnx").write_bytes(b"half")
    assert list(ledger.find_faults([], tmp_path)) == ["the upload a.onnx is not what was sent"]


def test_a_misattributed_prediction_is_noticed() -> None:
    prediction = {"label": "b", "model": {"model_id": 1}}
    assert find_misattribution(prediction, {1: "b"}) is None
    assert find_misattribution(prediction, {1: "a"}) == "a prediction names model 1, which answers a, with the label b"


def test_the_seed_decides_the_hostile_files() -> None:
    base = ModelFile("zeros", "onnx", bytes(100))
    assert mutate(base, Random(1)) == mutate(base, Random(1))  # noqa: S311  # no secret
    files = list(build_model_files(40, Random(1)))  # noqa: S311  # no secret
    assert len(files) == 40
    assert {each.ending for each in files} == {"onnx", "keras", "h5", "tflite"}
    assert sum(each.name.startswith("mutation") for each in files) >= 3
