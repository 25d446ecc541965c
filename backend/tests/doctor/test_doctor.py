"""Each thing that can be wrong, made wrong on purpose, found, and repaired where that loses nothing."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator

import psycopg
import pytest

from tests.doctor.conftest import Installation, list_codes
from tests.types import ModelFactory
from understudy.compiler.compile_lock import LockPurpose, locate_compile_lock, make_compile_lock
from understudy.doctor import compiled_store_check
from understudy.doctor.doctor import DoctorReport
from understudy.doctor.finding import FindingState
from understudy.errors import SpecInvalid
from understudy.registry.deployment import desired_state
from understudy.registry.files.uploads import Uploads
from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.registry.model import ModelCreate, ModelUpdate
from understudy.schemas.registry.model_query import ModelQuery

pytestmark = pytest.mark.anyio

_ALL_FIXED = {FindingState.FIXED}


def list_states(report: DoctorReport) -> set[FindingState]:
    return {finding.state for finding in report.findings}


async def test_a_sound_installation_has_no_findings(installation: Installation) -> None:
    report = await installation.examine()
    assert report.findings == ()
    assert report.looked_at == (
        "folders",
        "database",
        "history",
        "model files",
        "compiled store",
        "examples",
        "backbone",
        "servers",
    )


async def test_examining_an_empty_home_creates_nothing(empty: Installation) -> None:
    assert list_codes(await empty.examine()) == ["not_migrated"]
    assert not list(empty.settings.var_dir.iterdir())
    await empty.examine(fix=True)
    assert (await empty.examine()).findings == ()


async def test_a_missing_index_is_created(installation: Installation) -> None:
    installation.edit("DROP INDEX ml_models_one_active")
    await installation.assert_repaired("index_missing")


async def test_of_several_active_rows_the_chosen_one_stays(installation: Installation) -> None:
    two = await installation.register_two()
    installation.edit("DROP INDEX ml_models_one_active", "UPDATE ml_models SET is_active = TRUE")
    assert list_codes(await installation.examine()) == ["several_active", "index_missing"]
    unasked = await installation.examine(fix=True)
    assert [(each.code, each.state) for each in unasked.findings] == [("several_active", FindingState.OPEN)]
    assert "--keep-active" in unasked.findings[0].remedy
    assert list_codes(await installation.examine()) == ["several_active", "index_missing"]
    assert list_states(await installation.examine(fix=True, keep_active=two)) == _ALL_FIXED
    async with installation.open() as services:
        models = (await services.registry.list(ModelQuery())).models
    assert [model.model_id for model in models if model.is_active] == [two]


async def test_a_lost_deployment_row_is_restored_without_counting_a_generation_twice(
    installation: Installation,
) -> None:
    async def read_desired() -> desired_state.Desired | None:
        async with installation.open() as services, services.database.read() as session:
            return await desired_state.read_desired(session)

    before = await read_desired()
    installation.edit("DELETE FROM understudy_stage")
    await installation.assert_repaired("stage_row_missing")
    after = await read_desired()
    assert before is not None
    assert after == desired_state.Desired(1, before.generation + 1)


async def test_a_changed_history_is_named_and_stays_so(installation: Installation) -> None:
    installation.edit("UPDATE understudy_history SET detail = 'nothing' WHERE position = 1")
    for fix in (False, True):
        [finding] = (await installation.examine(fix=fix)).findings
        assert (finding.code, finding.state) == ("history_changed", FindingState.OPEN)
        assert "Position 1 was changed" in finding.what


async def test_the_lost_end_of_the_history_is_restored(installation: Installation) -> None:
    installation.edit("DELETE FROM understudy_history_head")
    assert list_codes(await installation.examine()) == ["history_head_missing", "history_changed"]
    fixed = await installation.examine(fix=True)
    assert [(each.code, each.state) for each in fixed.findings] == [("history_head_missing", FindingState.FIXED)]
    assert (await installation.examine()).findings == ()


async def test_a_row_added_by_hand_is_read(empty: Installation, installation: Installation) -> None:
    installation.edit(
        "DELETE FROM ml_models",
        "INSERT INTO ml_models (model_id, model_name, file_path) VALUES (5, 'By hand', 'models/one.onnx')",
    )
    shutil.rmtree(installation.store)
    await installation.assert_repaired("file_unrecorded")
    async with installation.open() as services:
        assert (await services.registry.get(5)).digest


async def test_a_hand_made_table_is_adopted(installation: Installation) -> None:
    shutil.rmtree(installation.settings.var_dir)
    installation.settings.var_dir.mkdir()
    installation.edit(
        "CREATE TABLE ml_models (model_id INTEGER PRIMARY KEY, model_name VARCHAR(255) NOT NULL UNIQUE,"
        " file_path VARCHAR(500) NOT NULL, is_active BOOLEAN DEFAULT FALSE)",
        "INSERT INTO ml_models (model_name, file_path) VALUES ('By hand', 'models/one.onnx')",
    )
    assert list_codes(await installation.examine()) == ["not_migrated"]
    fixed = await installation.examine(fix=True)
    assert {"column_missing", "index_missing", "file_unrecorded"} <= set(list_codes(fixed))
    assert list_states(fixed) == _ALL_FIXED
    assert (await installation.examine()).findings == ()
    async with installation.open() as services:
        assert [model.model_name for model in (await services.registry.list(ModelQuery())).models] == ["By hand"]


async def test_a_missing_file_is_left_to_a_person(installation: Installation) -> None:
    await installation.register_two()
    installation.two.unlink()
    assert "Two" in (await installation.assert_left_to_a_person("file_missing")).where
    async with installation.open() as services:
        assert (await services.registry.list(ModelQuery())).total == 2


async def test_a_missing_active_file_is_reported_with_the_copy_that_serves(installation: Installation) -> None:
    installation.one.unlink()
    assert "compiled copy is served" in (await installation.assert_left_to_a_person("active_file_missing")).what
    shutil.rmtree(installation.store)
    report = await installation.examine(fix=True)
    assert list_codes(report) == ["active_file_missing", "compile_state_wrong"]
    assert "no server can load it" in report.findings[0].what


async def test_a_changed_file_is_left_to_a_person(installation: Installation) -> None:
    installation.one.write_bytes(installation.two.read_bytes())
    assert "no longer the file" in (await installation.assert_left_to_a_person("file_changed")).what


async def test_a_touched_file_is_the_same_file(installation: Installation) -> None:
    installation.one.touch()
    assert (await installation.examine()).findings == ()


async def test_a_recorded_spec_that_this_version_refuses_is_left_to_a_person(installation: Installation) -> None:
    installation.edit("""UPDATE understudy_files SET spec = '{"hop_seconds": 0}'""")
    assert "hop_seconds" in (await installation.assert_left_to_a_person("spec_unreadable")).what
    async with installation.open() as services:
        with pytest.raises(SpecInvalid):
            await services.activation.activate(1, "test")
        assert (await services.registry.list(ModelQuery())).total == 1


async def test_an_unreadable_sidecar_is_left_to_a_person(installation: Installation) -> None:
    (installation.one.parent / "one.spec.json").write_text('{"labels": "a"}')
    assert "labels" in (await installation.assert_left_to_a_person("sidecar_unreadable")).what


async def test_a_sidecar_that_changed_is_noted(installation: Installation) -> None:
    (installation.one.parent / "one.spec.json").write_text('{"labels": ["x", "y", "z"]}')
    [finding] = (await installation.examine(fix=True)).findings
    assert (finding.code, finding.state) == ("sidecar_differs", FindingState.NOTED)
    assert finding.what == "models/one.spec.json is no longer what was recorded; it changes: labels."
    assert "understudy activate 1" in finding.remedy


async def test_a_live_model_without_label_names_is_noted_until_they_are_given(
    empty: Installation, make_model: ModelFactory
) -> None:
    make_model(empty.one, labels=None)
    async with empty.open() as services:
        registered = await services.registry.register(ModelCreate(model_name="One", file_path="models/one.onnx"), "t")
        await services.activation.activate(registered.model_id, "test")
    [finding] = (await empty.examine()).findings
    assert (finding.code, finding.state) == ("labels_unnamed", FindingState.NOTED)
    assert "The live model's labels have no names" in finding.what
    async with empty.open() as services:
        named = ModelUpdate(spec=PartialSpec(labels=("x", "y", "z")))
        await services.model_changes.update(registered.model_id, named, "test")
        await services.compilation.compile((await services.registry.read_spec_now(registered.model_id)).model)
        assert [finding.code for finding in (await empty.examine(fix=True)).findings] == ["labels_unnamed"]
        await services.activation.activate(registered.model_id, "test")
    assert [finding.code for finding in (await empty.examine(fix=True)).findings] == ["compiled_unreferenced"]
    assert (await empty.examine()).findings == ()


async def test_a_path_that_leads_out_is_left_to_a_person(installation: Installation) -> None:
    installation.edit("UPDATE ml_models SET file_path = '../secret.onnx'")
    report = await installation.examine(fix=True)
    assert [(each.code, each.state) for each in report.findings] == [
        ("path_refused", FindingState.OPEN),
        ("compiled_unreferenced", FindingState.FIXED),
    ]


async def test_unneeded_entries_of_the_compiled_store_are_removed(installation: Installation) -> None:
    [entry] = installation.store.iterdir()
    shutil.copytree(entry, installation.store / ".new-half")
    (installation.store / ("0" * 40)).mkdir()
    two = await installation.register_two()
    await installation.compile(two)
    async with installation.open() as services:
        await services.registry.delete(two, "test")
    codes = list_codes(await installation.examine())
    assert sorted(codes) == ["compiled_unreferenced", "compiled_unusable", "compiled_unusable"]
    assert list_states(await installation.examine(fix=True)) == _ALL_FIXED
    assert [each.name for each in installation.store.iterdir()] == [entry.name]


async def test_a_damaged_compiled_model_is_removed_and_compiled_again(installation: Installation) -> None:
    [entry] = installation.store.iterdir()
    with (entry / "model.onnx").open("ab") as file:
        file.write(b"?")
    assert list_codes(await installation.examine()) == ["compiled_unusable", "compile_state_wrong"]
    assert list_states(await installation.examine(fix=True)) == _ALL_FIXED
    assert not entry.exists()
    assert await installation.compile(1) == entry.name
    assert (await installation.examine()).findings == ()


async def test_a_compiled_model_that_fails_its_warm_up_is_removed(installation: Installation) -> None:
    """Its recorded outputs are those of another model; the files themselves are complete."""
    second = await installation.compile(await installation.register_two())
    store = installation.store
    [first] = [each.name for each in store.iterdir() if each.name != second]
    shutil.copyfile(store / second / "probes.npz", store / first / "probes.npz")
    report, other = (json.loads((store / key / "report.json").read_text("utf-8")) for key in (first, second))
    (store / first / "report.json").write_text(json.dumps(report | {"probes_digest": other["probes_digest"]}), "utf-8")
    assert list_codes(await installation.examine()) == ["compiled_unsound"]
    assert list_states(await installation.examine(fix=True)) == _ALL_FIXED
    assert not (store / first).exists()


async def test_an_interrupted_compilation_is_reset(installation: Installation) -> None:
    installation.edit("UPDATE understudy_files SET compile_state = 'compiling'")
    await installation.assert_repaired("compile_state_wrong")


async def test_a_store_that_takes_long_to_examine_is_not_reported_as_busy(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is for the wait for the lock: warming up one entry alone takes longer than this."""
    monkeypatch.setattr(compiled_store_check, "_WAIT_SECONDS", 0.001)
    assert (await installation.examine()).findings == ()


async def test_a_running_compilation_is_waited_for_and_reported(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled_store_check, "_WAIT_SECONDS", 0.3)
    async with make_compile_lock(installation.settings.var_dir):
        finding = await installation.assert_left_to_a_person("store_busy")
    assert finding.what.startswith(f"A compilation is running (process {os.getpid()})")
    assert "understudy doctor" in finding.remedy
    assert (await installation.examine()).findings == ()


async def test_another_doctor_is_not_called_a_compilation(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled_store_check, "_WAIT_SECONDS", 0.3)
    async with make_compile_lock(installation.settings.var_dir, LockPurpose.DOCTOR):
        finding = await installation.assert_left_to_a_person("store_busy")
    assert finding.what.startswith(f"Another `understudy doctor` (process {os.getpid()}) is checking")
    assert "ompilation" not in finding.what


async def test_a_compilation_is_running_while_its_lock_is_held_however_old_its_record_is(
    installation: Installation,
) -> None:
    """A row is recorded as being compiled before its process gets the lock, which the doctor may hold."""
    installation.edit("UPDATE understudy_files SET compile_state = 'compiling', recorded_at = '2020-01-01 00:00:00'")

    async def wait_for_the_doctor_and_compile() -> None:
        async with make_compile_lock(installation.settings.var_dir):
            compiling.set()
            await examined.wait()

    compiling, examined = asyncio.Event(), asyncio.Event()
    async with make_compile_lock(installation.settings.var_dir, LockPurpose.DOCTOR):
        compilation = asyncio.create_task(wait_for_the_doctor_and_compile())
        examination = asyncio.create_task(installation.examine(fix=True))
        await asyncio.sleep(0.3)
    report = await examination
    examined.set()
    await compilation
    assert "compile_state_wrong" not in list_codes(report)
    await installation.assert_repaired("compile_state_wrong")


async def test_examining_does_not_create_the_lock_file(installation: Installation) -> None:
    lock = locate_compile_lock(installation.settings.var_dir)
    lock.unlink()
    installation.edit("UPDATE understudy_files SET compile_state = 'compiling'")
    assert list_codes(await installation.examine()) == ["compile_state_wrong"]
    assert not lock.exists()


async def test_models_without_their_backbone_are_named_with_the_command(installation: Installation) -> None:
    installation.edit("""UPDATE understudy_files SET spec = '{"input": "embedding"}'""")
    [finding] = [each for each in (await installation.examine()).findings if each.code == "backbone_missing"]
    assert "One" in finding.what
    assert "understudy backbone install" in finding.remedy


async def test_a_file_in_place_of_a_folder_is_left_to_a_person(empty: Installation) -> None:
    await empty.examine(fix=True)
    empty.settings.models_dir.rmdir()
    empty.settings.models_dir.write_text("in the way")
    finding = await empty.assert_left_to_a_person("folder_unwritable")
    assert finding.where == str(empty.settings.models_dir)


async def test_a_missing_models_folder_is_created(empty: Installation) -> None:
    await empty.examine(fix=True)
    empty.settings.models_dir.rmdir()
    await empty.assert_repaired("folder_missing")


async def test_a_server_that_does_not_follow_is_named(installation: Installation) -> None:
    installation.edit(
        "INSERT INTO understudy_replicas (replica, model_id, generation, state, seen_at)"
        " VALUES ('elsewhere:1', 7, 3, 'live', strftime('%Y-%m-%d %H:%M:%f', 'now'))",
    )
    assert (await installation.assert_left_to_a_person("server_disagrees")).where == "elsewhere:1"


async def test_a_server_that_stopped_reporting_is_ignored(installation: Installation) -> None:
    installation.edit(
        "INSERT INTO understudy_replicas (replica, model_id, generation, state, seen_at)"
        " VALUES ('gone:1', 7, 3, 'live', '2020-01-01 00:00:00')",
    )
    assert (await installation.examine()).findings == ()


async def test_a_database_that_does_not_answer_is_a_finding(empty: Installation) -> None:
    nowhere = {"database_url": "postgresql://nobody@127.0.0.1:9/none"}
    report = await Installation(empty.settings.model_copy(update=nowhere)).examine()
    assert list_codes(report) == ["database_unavailable"]


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
async def test_a_read_only_folder_is_made_writable(installation: Installation) -> None:
    installation.one.parent.chmod(0o500)
    await installation.assert_repaired("folder_unwritable")


async def test_a_file_of_an_interrupted_upload_is_removed_however_new_it_is(installation: Installation) -> None:
    left_over = installation.settings.models_dir / ".upload-left-over"
    left_over.write_bytes(b"half")
    await installation.assert_repaired("upload_left_over")
    assert not left_over.exists()


async def test_a_running_upload_keeps_its_file_however_old_it_is(installation: Installation) -> None:
    async def send_half_and_stall() -> AsyncIterator[bytes]:
        yield b"first half, "
        [part] = installation.settings.models_dir.glob(".upload-*")
        os.utime(part, (0, 0))
        assert (await installation.examine(fix=True)).findings == ()
        yield b"second half"

    await Uploads(installation.settings).receive("three.onnx", send_half_and_stall())
    assert (installation.settings.models_dir / "three.onnx").read_bytes() == b"first half, second half"


@pytest.mark.postgres
async def test_postgresql_is_examined_and_repaired_the_same_way(installation: Installation, postgres_url: str) -> None:
    on_postgresql = Installation(installation.settings.model_copy(update={"database_url": postgres_url}))
    async with on_postgresql.open() as services:
        one = await services.registry.register(ModelCreate(model_name="One", file_path="models/one.onnx"), "test")
        await services.activation.activate(one.model_id, "test")
    await on_postgresql.compile(await on_postgresql.register_two())
    assert (await on_postgresql.examine()).findings == ()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP INDEX ml_models_one_active")
        connection.execute("UPDATE ml_models SET is_active = TRUE")
    assert list_codes(await on_postgresql.examine()) == ["several_active", "index_missing"]
    assert list_codes(await on_postgresql.examine(fix=True)) == ["several_active"]
    assert list_states(await on_postgresql.examine(fix=True, keep_active=one.model_id)) == _ALL_FIXED
    assert (await on_postgresql.examine()).findings == ()


async def test_names_that_v2_cannot_address_are_noted_with_the_command_that_renames(installation: Installation) -> None:
    installation.edit("UPDATE ml_models SET model_name = 'one/versions/1', version = 'a\n'")
    for fix in (False, True):
        name, version = (await installation.examine(fix=fix)).findings
        assert (name.code, version.code) == ("name_not_addressable", "version_not_addressable")
        assert {name.state, version.state} == {FindingState.NOTED}
        assert name.remedy == "understudy update 1 --name NAME"
        assert "U+000A" in version.what
        assert "\n" not in version.what
