import asyncio
from decimal import Decimal
from hashlib import sha256

import pytest

from tests.registry.types import Add
from understudy.errors import CompileFailed, FileMissing, ModelIsActive, ModelNotFound, NameTaken, PathRefused
from understudy.models import CompileState
from understudy.registry.database.database import Database
from understudy.registry.deployment import desired_state
from understudy.registry.registry import Registry
from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.registry.model import ModelUpdate
from understudy.schemas.server.problem import Problem
from understudy.settings import Settings

pytestmark = pytest.mark.anyio


async def _activate(database: Database, model_id: int) -> int:
    async with database.write() as session:
        return await desired_state.switch(session, model_id, actor="api")


async def test_an_update_changes_what_is_present_and_clears_what_is_null(registry: Registry, add: Add) -> None:
    model = await add("head", version="v1", description="old")
    changed = await registry.update(
        model.model_id, ModelUpdate(description=None, accuracy=Decimal("0.95"), model_name="renamed"), "api"
    )
    assert (changed.model_name, changed.version, changed.description, changed.accuracy) == ("renamed", "v1", None, 0.95)
    assert changed.created_at == model.created_at
    assert changed.updated_at is not None
    assert model.updated_at is not None
    assert changed.updated_at > model.updated_at
    latest = (await registry.list_history(model.model_id)).entries[0]
    assert (latest.event, latest.detail) == ("updated", "Changed: accuracy, description, model_name.")


async def test_an_update_without_a_change_writes_nothing(registry: Registry, add: Add) -> None:
    model = await add("head", version="v1")
    same = ModelUpdate(model_name="head", version="v1", file_path="models\\head.onnx")
    assert await registry.update(model.model_id, same, "api") == model
    assert len((await registry.list_history(model.model_id)).entries) == 1


async def test_a_name_taken_by_another_model_is_refused(registry: Registry, add: Add) -> None:
    await add("first")
    second = await add("second")
    with pytest.raises(NameTaken):
        await registry.update(second.model_id, ModelUpdate(model_name="first"), "api")


async def test_a_new_path_is_read_anew_and_keeps_what_was_given(
    registry: Registry, database_settings: Settings, add: Add
) -> None:
    model = await add("head", spec={"sample_rate": 8000})
    await registry.set_compile_state(model.model_id, model.digest or "", CompileState.READY)
    (database_settings.models_dir / "next.onnx").write_bytes(b"next")
    (database_settings.models_dir / "next.spec.json").write_text('{"labels": ["a"], "sample_rate": 16000}')
    changed = await registry.update(model.model_id, ModelUpdate(file_path="models/next.onnx"), "api")
    assert (changed.digest, changed.compile_state) == (sha256(b"next").hexdigest(), "not_compiled")
    record = await registry.ensure_file_record(model.model_id)
    assert record.spec == PartialSpec(labels=("a",), sample_rate=8000)


async def test_a_refused_path_leaves_the_model_as_it_was(registry: Registry, add: Add) -> None:
    model = await add("head")
    for path, error in (("models/absent.onnx", FileMissing), ("../head.onnx", PathRefused)):
        with pytest.raises(error):
            await registry.update(model.model_id, ModelUpdate(model_name="changed", file_path=path), "api")
    assert await registry.get(model.model_id) == model


async def test_the_active_model_keeps_its_file_and_its_record(registry: Registry, database: Database, add: Add) -> None:
    model = await add("live")
    await add("other")
    await _activate(database, model.model_id)
    with pytest.raises(ModelIsActive):
        await registry.update(model.model_id, ModelUpdate(file_path="models/other.onnx"), "api")
    with pytest.raises(ModelIsActive):
        await registry.delete(model.model_id, "api")
    renamed = await registry.update(model.model_id, ModelUpdate(model_name="renamed"), "api")
    assert (renamed.model_name, renamed.is_active) == ("renamed", True)


async def test_deleting_keeps_the_file_and_the_history(
    registry: Registry, database_settings: Settings, add: Add
) -> None:
    model = await add("gone", version="v3")
    answer = await registry.delete(model.model_id, "cli")
    assert not answer.file_deleted
    assert "not touched" in answer.detail
    assert (database_settings.models_dir / "gone.onnx").exists()
    latest = (await registry.list_history(model.model_id)).entries[0]
    assert (latest.event, latest.model_name, latest.version) == ("deleted", "gone", "v3")
    assert (latest.digest, latest.actor) == (model.digest, "cli")
    for call in (registry.get, registry.ensure_file_record):
        with pytest.raises(ModelNotFound):
            await call(model.model_id)
    with pytest.raises(ModelNotFound):
        await registry.delete(model.model_id, "cli")


async def test_ids_of_no_model_are_not_found(registry: Registry) -> None:
    for model_id in (0, -1, 999, 2**31, 2**70):
        with pytest.raises(ModelNotFound):
            await registry.get(model_id)
        with pytest.raises(ModelNotFound):
            await registry.list_history(model_id)


async def test_deleting_races_with_activating_and_one_of_them_wins(
    registry: Registry, database: Database, add: Add
) -> None:
    model = await add("contested")
    outcomes = await asyncio.gather(
        registry.delete(model.model_id, "api"), _activate(database, model.model_id), return_exceptions=True
    )
    assert sum(isinstance(outcome, ModelIsActive | ModelNotFound) for outcome in outcomes) == 1


async def test_the_compilers_verdict_is_kept_for_the_file_it_was_about(registry: Registry, add: Add) -> None:
    model = await add("head")
    digest = model.digest or ""
    problem = CompileFailed("The graph holds an unknown layer.").problem()
    assert await registry.set_compile_state(model.model_id, digest, CompileState.REFUSED, problem)
    shown = await registry.get(model.model_id)
    assert (shown.compile_state, shown.compile_error) == ("refused", Problem.model_validate(problem))
    assert not await registry.set_compile_state(model.model_id, "0" * 64, CompileState.READY)
    assert await registry.set_compile_state(model.model_id, digest, CompileState.READY)
    shown = await registry.get(model.model_id)
    assert (shown.compile_state, shown.compile_error) == ("ready", None)
    assert (await registry.list_history(model.model_id)).entries[0].event == "compiled"
