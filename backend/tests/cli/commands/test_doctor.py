"""Each thing that can be wrong, made wrong on purpose, found, and repaired where that loses nothing."""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.conftest import Run

Ask = Callable[..., Any]


def edit(home: Path, *statements: str) -> None:
    """Change the database by hand."""
    with closing(sqlite3.connect(home / "var" / "understudy.db", isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def codes(report: Any) -> list[str]:
    return [finding["code"] for finding in report["findings"]]


def states(report: Any) -> set[str]:
    return {finding["state"] for finding in report["findings"]}


def repaired(ask: Ask, code: str) -> None:
    """The finding is there, `--fix` repairs it, and then nothing is left."""
    assert codes(ask("doctor", code=1)) == [code]
    mended = ask("doctor", "--fix")
    assert (codes(mended), states(mended)) == ([code], {"fixed"})
    assert ask("doctor")["findings"] == []


def stays(ask: Ask, code: str) -> dict[str, Any]:
    """The finding is there, says what to do, and `--fix` leaves it to a person."""
    [finding] = ask("doctor", "--fix", code=1)["findings"]
    assert (finding["code"], finding["state"]) == (code, "open")
    assert finding["remedy"]
    return dict(finding)


def test_a_sound_installation_has_no_findings(ask: Ask, run: Run, one: Path) -> None:
    report = ask("doctor")
    assert report["findings"] == []
    assert report["looked_at"] == ["folders", "database", "model files", "compiled store", "backbone", "servers"]
    assert "Nothing is wrong" in run("doctor").stdout


def test_looking_at_an_empty_home_creates_nothing(ask: Ask, home: Path) -> None:
    assert codes(ask("doctor", code=1)) == ["not_migrated"]
    assert not list((home / "var").iterdir())
    ask("doctor", "--fix")
    assert ask("doctor")["findings"] == []


def test_a_missing_index_is_made(ask: Ask, one: Path, home: Path) -> None:
    edit(home, "DROP INDEX ml_models_one_active")
    repaired(ask, "index_missing")


def test_of_several_active_rows_one_stays(ask: Ask, one: Path, home: Path) -> None:
    ask("register", "--name", "Two", "--path", "models/two.onnx")
    edit(home, "DROP INDEX ml_models_one_active", "UPDATE ml_models SET is_active = TRUE")
    assert codes(ask("doctor", code=1)) == ["several_active", "index_missing"]
    assert states(ask("doctor", "--fix")) == {"fixed"}
    assert [model["is_active"] for model in ask("list")["models"]].count(True) == 1


def test_a_lost_stage_row_is_put_back_without_counting_a_generation_twice(ask: Ask, one: Path, home: Path) -> None:
    before = ask("status")["desired"]["generation"]
    edit(home, "DELETE FROM understudy_stage")
    repaired(ask, "stage_row_missing")
    desired = ask("status")["desired"]
    assert desired["model_id"] == 1
    assert desired["generation"] > before


def test_a_row_added_by_hand_is_read(ask: Ask, run: Run, models: Path, home: Path) -> None:
    shutil.rmtree(home / "var" / "compiled")
    run("migrate")
    edit(home, "INSERT INTO ml_models (model_id, model_name, file_path) VALUES (5, 'By hand', 'models/one.onnx')")
    repaired(ask, "file_unrecorded")
    assert ask("show", "5")["digest"]


def test_a_hand_made_table_is_adopted(ask: Ask, models: Path, home: Path) -> None:
    edit(
        home,
        "CREATE TABLE ml_models (model_id INTEGER PRIMARY KEY, model_name VARCHAR(255) NOT NULL UNIQUE,"
        " file_path VARCHAR(500) NOT NULL, is_active BOOLEAN DEFAULT FALSE)",
        "INSERT INTO ml_models (model_name, file_path) VALUES ('By hand', 'models/one.onnx')",
    )
    assert codes(ask("doctor", code=1)) == ["not_migrated"]
    mended = ask("doctor", "--fix")
    assert {"column_missing", "index_missing", "file_unrecorded"} <= set(codes(mended))
    assert ask("list")["models"][0]["model_name"] == "By hand"


def test_a_missing_file_is_for_a_person(ask: Ask, one: Path) -> None:
    ask("register", "--name", "Two", "--path", "models/two.onnx")
    one.with_name("two.onnx").unlink()
    assert "Two" in stays(ask, "file_missing")["where"]
    assert ask("list")["total"] == 2


def test_the_active_file_missing_says_whether_a_copy_serves(ask: Ask, one: Path, home: Path) -> None:
    one.unlink()
    assert "compiled copy is served" in stays(ask, "active_file_missing")["what"]
    shutil.rmtree(home / "var" / "compiled")
    found = ask("doctor", "--fix", code=1)["findings"]
    assert [each["code"] for each in found] == ["active_file_missing", "compile_state_wrong"]
    assert "no server can load it" in found[0]["what"]


def test_a_changed_file_is_for_a_person(ask: Ask, one: Path) -> None:
    one.write_bytes(one.with_name("two.onnx").read_bytes())
    assert "no longer the file" in stays(ask, "file_changed")["what"]


def test_a_touched_file_is_the_same_file(ask: Ask, one: Path) -> None:
    one.touch()
    assert ask("doctor")["findings"] == []


def test_a_recorded_spec_that_this_version_refuses_is_for_a_person(ask: Ask, run: Run, one: Path, home: Path) -> None:
    edit(home, """UPDATE understudy_files SET spec = '{"hop_seconds": 0}'""")
    assert "hop_seconds" in stays(ask, "spec_unreadable")["what"]
    assert ask("activate", "1", code=5)["code"] == "spec_invalid"
    assert ask("list")["total"] == 1


def test_an_unreadable_sidecar_is_for_a_person(ask: Ask, one: Path) -> None:
    (one.parent / "one.spec.json").write_text('{"labels": "a"}')
    assert "labels" in stays(ask, "sidecar_unreadable")["what"]


def test_a_path_that_leads_out_is_for_a_person(ask: Ask, one: Path, home: Path) -> None:
    edit(home, "UPDATE ml_models SET file_path = '../secret.onnx'")
    report = ask("doctor", "--fix", code=1)
    assert "path_refused" in codes(report)


def test_the_compiled_store_is_swept_of_what_nobody_needs(ask: Ask, one: Path, home: Path) -> None:
    store = home / "var" / "compiled"
    [entry] = store.iterdir()
    shutil.copytree(entry, store / ".new-half")
    (store / ("0" * 40)).mkdir()
    two = str(ask("register", "--name", "Two", "--path", "models/two.onnx")["model_id"])
    ask("compile", two)
    ask("delete", two)
    found = codes(ask("doctor", code=1))
    assert sorted(found) == ["compiled_unreferenced", "compiled_unusable", "compiled_unusable"]
    assert states(ask("doctor", "--fix")) == {"fixed"}
    assert [each.name for each in store.iterdir()] == [entry.name]


def test_a_damaged_compiled_form_is_made_again(ask: Ask, one: Path, home: Path, clip: Path) -> None:
    [entry] = (home / "var" / "compiled").iterdir()
    with (entry / "model.onnx").open("ab") as file:
        file.write(b"?")
    assert codes(ask("doctor", code=1)) == ["compiled_unusable", "compile_state_wrong"]
    assert states(ask("doctor", "--fix")) == {"fixed"}
    assert ask("predict", str(clip))["label"] == "a"


def test_a_compiled_form_that_fails_its_warm_up_is_removed(ask: Ask, one: Path, home: Path) -> None:
    """Its probes say something else than it computes; the files themselves are whole."""
    two = str(ask("register", "--name", "Two", "--path", "models/two.onnx")["model_id"])
    ask("compile", two)
    store = home / "var" / "compiled"
    first, second = (ask("show", number, "--report")["key"] for number in ("1", two))
    shutil.copyfile(store / second / "probes.npz", store / first / "probes.npz")
    report, other = (json.loads((store / key / "report.json").read_text("utf-8")) for key in (first, second))
    (store / first / "report.json").write_text(json.dumps(report | {"probes_digest": other["probes_digest"]}), "utf-8")
    assert codes(ask("doctor", code=1)) == ["compiled_unsound"]
    assert states(ask("doctor", "--fix")) == {"fixed"}
    assert not (store / first).exists()


def test_a_compilation_that_broke_off_is_forgotten(ask: Ask, one: Path, home: Path) -> None:
    edit(home, "UPDATE understudy_files SET compile_state = 'compiling'")
    repaired(ask, "compile_state_wrong")


def test_heads_without_a_backbone_name_the_command(ask: Ask, one: Path, home: Path) -> None:
    edit(home, """UPDATE understudy_files SET spec = '{"input": "embedding"}'""")
    [finding] = [each for each in ask("doctor", code=1)["findings"] if each["code"] == "backbone_missing"]
    assert "One" in finding["what"]
    assert "understudy backbone install" in finding["remedy"]


def test_a_folder_in_the_way_is_for_a_person(ask: Ask, home: Path) -> None:
    ask("doctor", "--fix")
    (home / "models").rmdir()
    (home / "models").write_text("in the way")
    assert stays(ask, "folder_unwritable")["where"] == str(home / "models")


def test_a_missing_models_folder_is_made(ask: Ask, home: Path) -> None:
    ask("doctor", "--fix")
    (home / "models").rmdir()
    repaired(ask, "folder_missing")


def test_a_server_that_does_not_follow_is_named(ask: Ask, one: Path, home: Path) -> None:
    edit(
        home,
        "INSERT INTO understudy_replicas (replica, model_id, generation, state, seen_at)"
        " VALUES ('elsewhere:1', 7, 3, 'live', strftime('%Y-%m-%d %H:%M:%f', 'now'))",
    )
    assert stays(ask, "server_disagrees")["where"] == "elsewhere:1"


def test_a_server_that_stopped_reporting_is_not_asked_about(ask: Ask, one: Path, home: Path) -> None:
    edit(
        home,
        "INSERT INTO understudy_replicas (replica, model_id, generation, state, seen_at)"
        " VALUES ('gone:1', 7, 3, 'live', '2020-01-01 00:00:00')",
    )
    assert ask("doctor")["findings"] == []


def test_a_database_that_does_not_answer_is_a_finding(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    assert codes(ask("doctor", code=1)) in (["database_unavailable"], ["misconfigured"])


def test_people_read_what_to_do(run: Run, one: Path) -> None:
    one.unlink()
    said = run("doctor", code=1).stdout
    assert "open" in said
    assert "Put models/one.onnx back" in said
    assert "1 found, 0 fixed, 1 left open" in said


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_opened(ask: Ask, one: Path) -> None:
    one.parent.chmod(0o500)
    repaired(ask, "folder_unwritable")


@pytest.mark.postgres
def test_postgresql_is_examined_and_repaired_the_same_way(
    ask: Ask, models: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    ask("register", "--name", "One", "--path", "models/one.onnx", "--activate")
    ask("register", "--name", "Two", "--path", "models/two.onnx", "--activate")
    assert ask("doctor")["findings"] == []
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP INDEX ml_models_one_active")
        connection.execute("UPDATE ml_models SET is_active = TRUE")
    assert codes(ask("doctor", code=1)) == ["several_active", "index_missing"]
    assert states(ask("doctor", "--fix")) == {"fixed"}
    assert ask("doctor")["findings"] == []


def test_what_an_upload_left_behind_goes_once_nobody_can_be_writing_it(ask: Ask, home: Path, one: Path) -> None:
    old, new = home / "models" / ".upload-old", home / "models" / ".upload-new"
    for part in (old, new):
        part.write_bytes(b"half")
    os.utime(old, (0, 0))
    repaired(ask, "upload_left_over")
    assert new.exists()
    assert not old.exists()
