import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from tests.registry.types import Add
from understudy.errors import CompileFailed, FileMissing, ModelIsActive, ModelNotFound, NameTaken, PathRefused
from understudy.models import CompileState
from understudy.registry.database.database import Database
from understudy.registry.deployment import desired_state
from understudy.registry.models.table import rows
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


async def test_a_new_path_is_read_and_keeps_the_given_spec(
    registry: Registry, database_settings: Settings, add: Add
) -> None:
    model = await add("head", spec={"sample_rate": 8000})
    await registry.set_compile_state(await registry.ensure_file_record(model.model_id), CompileState.READY)
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


@pytest.mark.parametrize("first", ["delete", "activate"])
async def test_of_a_deletion_and_an_activation_the_later_one_is_refused(
    registry: Registry, database: Database, database_settings: Settings, add: Add, first: str
) -> None:
    """The first holds the lock when the second begins, in another process."""
    model = await add("contested")
    async with Database(database_settings) as other:
        async with other.write() as session:
            await desired_state.lock(session)
            if first == "delete":
                await session.delete((await rows.get(session, model.model_id)).model)
                second: Coroutine[Any, Any, object] = _activate(database, model.model_id)
            else:
                await desired_state.switch(session, model.model_id, actor="api")
                second = registry.delete(model.model_id, "api")
            waiting = asyncio.create_task(second)
            done, _ = await asyncio.wait([waiting], timeout=0.3)
            assert not done
        with pytest.raises(ModelNotFound if first == "delete" else ModelIsActive):
            await waiting
    async with database.read() as session:
        poll = await desired_state.poll(session)
    assert (poll.active_model_id, poll.active_count) == ((None, 0) if first == "delete" else (model.model_id, 1))


async def test_of_a_deletion_and_an_activation_at_once_exactly_one_happens(
    registry: Registry, database: Database, add: Add
) -> None:
    model = await add("contested")
    deleted, activated = await asyncio.gather(
        registry.delete(model.model_id, "api"), _activate(database, model.model_id), return_exceptions=True
    )
    async with database.read() as session:
        poll = await desired_state.poll(session)
    if isinstance(deleted, BaseException):
        assert isinstance(deleted, ModelIsActive)
        assert activated == 1
        assert poll == desired_state.DesiredStatePoll(1, model.model_id, model.model_id, 1)
    else:
        assert isinstance(activated, ModelNotFound)
        assert poll == desired_state.DesiredStatePoll(0, None, None, 0)


async def test_a_compile_state_is_stored_only_for_the_file_and_spec_it_is_about(registry: Registry, add: Add) -> None:
    model = await add("head")
    recorded = await registry.ensure_file_record(model.model_id)
    other_file = replace(recorded, facts=replace(recorded.facts, digest="0" * 64))
    other_spec = replace(recorded, spec=PartialSpec(labels=("a", "b")))
    problem = CompileFailed("The graph holds an unknown layer.").problem()
    assert await registry.set_compile_state(recorded, CompileState.REFUSED, problem)
    answer = await registry.get(model.model_id)
    assert (answer.compile_state, answer.compile_error) == ("refused", Problem.model_validate(problem))
    for other in (other_file, other_spec):
        assert not await registry.set_compile_state(other, CompileState.READY)
    assert await registry.set_compile_state(recorded, CompileState.READY)
    answer = await registry.get(model.model_id)
    assert (answer.compile_state, answer.compile_error) == ("ready", None)
    assert (await registry.list_history(model.model_id)).entries[0].event == "compiled"
