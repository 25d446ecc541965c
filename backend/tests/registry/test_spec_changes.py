"""A changed spec: at once for a model that is not active, at the next activation for the active one."""

import json
from pathlib import Path

import pytest
from sqlalchemy import update as sql_update

from tests.registry.types import Add
from understudy.errors import RequestInvalid, SpecInvalid
from understudy.models import CompileState, FileRecord, MlModel
from understudy.registry.database.database import Database
from understudy.registry.deployment import desired_state
from understudy.registry.registry import Registry
from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.front_end.arrangement import FeatureStandardization
from understudy.schemas.registry.model import ModelUpdate
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

NAMES = PartialSpec(labels=("dog", "rain"))


async def _activate(database: Database, model_id: int) -> None:
    async with database.write() as session:
        await desired_state.switch(session, model_id, actor="test")


def _write_sidecar(settings: Settings, **spec: object) -> Path:
    path = settings.models_dir / "head.spec.json"
    path.write_text(json.dumps(spec))
    return path


async def test_labels_of_an_inactive_model_change_at_once_and_the_model_is_to_be_compiled_again(
    registry: Registry, add: Add
) -> None:
    model = await add("head", spec={"labels": ["a", "b"], "top_k": 2})
    await registry.set_compile_state(await registry.ensure_file_record(model.model_id), CompileState.READY)
    changed = await registry.update(model.model_id, ModelUpdate(spec=NAMES), "api")
    assert changed.compile_state == "not_compiled"
    assert changed.given_spec == PartialSpec(labels=("dog", "rain"), top_k=2)
    assert not changed.spec_pending
    assert (await registry.ensure_file_record(model.model_id)).spec == changed.given_spec
    latest = (await registry.list_history(model.model_id)).entries[0]
    assert (latest.event, latest.detail) == ("updated", "Changed: spec.")


async def test_the_active_model_keeps_its_spec_and_the_answer_says_so(
    registry: Registry, database: Database, add: Add
) -> None:
    model = await add("head", spec={"labels": ["a", "b"]})
    await _activate(database, model.model_id)
    changed = await registry.update(model.model_id, ModelUpdate(spec=NAMES), "api")
    assert changed.spec_pending
    assert changed.given_spec == NAMES
    assert any(f"understudy activate {model.model_id}" in note for note in changed.notes)
    recorded = await registry.ensure_file_record(model.model_id)
    assert recorded.spec == PartialSpec(labels=("a", "b"))
    assert (await registry.read_spec_now(model.model_id)).model.spec == NAMES


async def test_null_clears_one_field_or_all_of_them(registry: Registry, add: Add) -> None:
    model = await add("head", spec={"labels": ["a", "b"], "top_k": 2})
    one = await registry.update(model.model_id, ModelUpdate(spec=PartialSpec(labels=None)), "api")
    assert one.given_spec == PartialSpec(top_k=2)
    every = await registry.update(model.model_id, ModelUpdate(spec=None), "api")
    assert every.given_spec == PartialSpec()
    assert (await registry.ensure_file_record(model.model_id)).spec is None


async def test_an_update_without_a_spec_leaves_it_and_the_same_spec_writes_nothing(
    registry: Registry, add: Add
) -> None:
    model = await add("head", spec={"labels": ["dog", "rain"]})
    await registry.update(model.model_id, ModelUpdate(version="v2"), "api")
    same = await registry.update(model.model_id, ModelUpdate(spec=NAMES), "api")
    assert same.given_spec == NAMES
    assert [entry.event for entry in (await registry.list_history(model.model_id)).entries] == ["updated", "registered"]


async def test_a_row_made_by_hand_takes_a_spec(
    registry: Registry, database: Database, database_settings: Settings
) -> None:
    (database_settings.models_dir / "hand.onnx").write_text("hand")
    async with database.write() as session:
        session.add(MlModel(model_id=1, model_name="hand", file_path="models/hand.onnx", is_active=False))
    changed = await registry.update(1, ModelUpdate(spec=NAMES), "api")
    assert (await registry.ensure_file_record(1)).spec == NAMES
    assert changed.digest is not None


async def test_a_nul_character_in_a_label_is_refused(registry: Registry, add: Add) -> None:
    model = await add("head")
    with pytest.raises(RequestInvalid, match="NUL"):
        await registry.update(model.model_id, ModelUpdate(spec=PartialSpec(labels=("a", "b\0"))), "api")


async def test_a_changed_sidecar_is_shown_and_read_at_the_next_activation(
    registry: Registry, database_settings: Settings, add: Add
) -> None:
    _write_sidecar(database_settings, labels=["a", "b"], top_k=2)
    model = await add("head", spec={"top_k": 4})
    assert model.notes == ("models/head.spec.json says another top_k than what was given; what was given is used.",)
    _write_sidecar(database_settings, labels=["dog", "rain"], top_k=2)
    shown = await registry.get(model.model_id)
    assert shown.notes[0] == "models/head.spec.json is no longer what was recorded; it changes: labels."
    assert shown.spec_pending
    reading = await registry.read_spec_now(model.model_id)
    assert reading.model.spec == PartialSpec(labels=("dog", "rain"), top_k=4)
    assert (await registry.ensure_file_record(model.model_id)).spec == PartialSpec(labels=("a", "b"), top_k=4)


async def test_a_sidecar_that_is_gone_or_broken_costs_the_model_nothing(
    registry: Registry, database_settings: Settings, add: Add
) -> None:
    sidecar = _write_sidecar(database_settings, labels=["a", "b"])
    model = await add("head")
    for content, note in (
        (b"\x81\x8d", "is neither UTF-8 nor"),
        (None, "does not exist any more; its labels are kept"),
    ):
        sidecar.unlink() if content is None else sidecar.write_bytes(content)
        shown = await registry.get(model.model_id)
        assert note in shown.notes[0]
        assert not shown.spec_pending
        assert (await registry.read_spec_now(model.model_id)).model.spec == PartialSpec(labels=("a", "b"))


async def test_label_files_beside_the_model_are_offered_and_not_used(
    registry: Registry, database_settings: Settings, add: Add
) -> None:
    (database_settings.models_dir / "labels.txt").write_text("dog\nrain\n")
    model = await add("head")
    assert [(each.file_path, each.labels) for each in model.label_files] == [("models/labels.txt", ("dog", "rain"))]
    offer = "labels.txt beside the file names 2 labels; use it with --labels models/labels.txt: "
    assert model.notes == (f"{offer}understudy update {model.model_id} --labels models/labels.txt",)
    assert (await registry.ensure_file_record(model.model_id)).spec is None
    named = await registry.update(model.model_id, ModelUpdate(spec=NAMES), "api")
    assert named.notes == ()


async def test_a_record_that_cannot_be_parsed_still_answers(registry: Registry, database: Database, add: Add) -> None:
    model = await add("head")
    async with database.write() as session:
        await session.execute(sql_update(FileRecord).values(spec={"top_k": "many"}))
    shown = await registry.get(model.model_id)
    assert "The recorded spec of model" in shown.notes[0]
    with pytest.raises(SpecInvalid):
        await registry.update(model.model_id, ModelUpdate(spec=NAMES), "api")


SCALED = {
    "preset": "librosa-mfcc40-mean",
    "labels": ["dog", "rain"],
    "arrangement": {"standardize": {"kind": "per_feature", "file": "scaler.json"}},
}


async def test_the_numbers_of_a_scaler_file_become_part_of_the_spec(
    registry: Registry, add: Add, settings: Settings
) -> None:
    scaler = settings.models_dir / "scaler.json"
    scaler.write_text(json.dumps({"mean": [0.5] * 40, "std": [2.0] * 40}))
    model = await add("head", spec=SCALED)
    scaler.unlink()
    recorded = await registry.ensure_file_record(model.model_id)
    assert recorded.spec is not None
    assert recorded.spec.front_end is not None
    assert recorded.spec.arrangement is not None
    step = recorded.spec.arrangement.standardize
    assert isinstance(step, FeatureStandardization)
    assert (step.file, step.mean, step.std) == (None, (0.5,) * 40, (2.0,) * 40)


@pytest.mark.parametrize("file", ["gone.json", "../scaler.json", "/etc/hostname", "."])
async def test_a_scaler_file_that_is_not_beside_the_model_is_refused(add: Add, file: str) -> None:
    spec = SCALED | {"arrangement": {"standardize": {"kind": "per_feature", "file": file}}}
    with pytest.raises(SpecInvalid, match="not a file in the folder of the spec and the model"):
        await add("head", spec=spec)


async def test_a_field_that_takes_back_what_a_preset_says_stays_taken_back(registry: Registry, add: Add) -> None:
    model = await add("head", spec={"preset": "yamnet-mean-embedding", "labels": ["dog", "rain"]})
    await registry.update(model.model_id, ModelUpdate.model_validate({"spec": {"pooling": None}}), "api")
    recorded = await registry.ensure_file_record(model.model_id)
    assert recorded.spec is not None
    assert (recorded.spec.preset, recorded.spec.pooling) == ("yamnet-mean-embedding", None)
    assert recorded.spec.labels == ("dog", "rain")
