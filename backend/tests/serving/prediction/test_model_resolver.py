"""A name is answered by the model of its row, and by the old one only shortly after the row changed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from tests.fault_points import act_at
from understudy.container import Services
from understudy.errors import FileMissing, ModelIsActive, ModelNotFound, ReportNotFound, Unavailable
from understudy.schemas.registry.model import ModelCreate, ModelUpdate
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

Register = Callable[..., Awaitable[int]]
PATCH = {"patch": np.zeros((1, 96, 64), np.float32)}


async def winner(services: Services, name: str, version: str | None = None) -> tuple[int, int, int | None]:
    """The label number that answers, and what the answer says of its origin."""
    found = await services.tensors.infer(name, version, PATCH)
    assert found.model.identity.model_name == name
    return int(found.outputs["scores"].argmax()), found.model.identity.model_id, found.generation


async def test_the_live_model_and_the_others_answer_by_name(services: Services, register: Register) -> None:
    a, b = await register("a", winner=0), await register("b", winner=1)
    await services.activation.activate(a, "test")
    assert await winner(services, "a") == (0, a, 1)
    assert await winner(services, "b") == (1, b, None)
    await services.activation.activate(b, "test")
    assert await winner(services, "b") == (1, b, 2)
    assert await winner(services, "a") == (0, a, None)


async def test_a_model_that_was_let_go_is_loaded_again_and_the_live_one_stays(
    services: Services, register: Register
) -> None:
    a, _ = await register("a", winner=0), await register("b", winner=1)
    await services.activation.activate(a, "test")
    before, _ = await services.model_resolver.choose("b", None)
    again, _ = await services.model_resolver.choose("b", None)
    assert again.engine_model is before.engine_model
    services.model_resolver._look_up(("b", None))  # as a request does in the second half of the time that "b" is known
    await services.model_resolver.unload("b", None)
    after, _ = await services.model_resolver.choose("b", None)
    assert after.engine_model is not before.engine_model
    with pytest.raises(ModelIsActive, match="a is the live model, which stays loaded"):
        await services.model_resolver.unload("a", None)
    assert (await winner(services, "a"))[:2] == (0, a)


async def test_the_live_model_stays_where_another_row_of_its_file_is_let_go(
    services: Services, register: Register
) -> None:
    a = await register("a", winner=0)
    request = ModelCreate(model_name="same", file_path="models/a.onnx")
    await services.registry.register(request, "test")
    await services.activation.activate(a, "test")
    assert services.live.current is not None
    live = services.live.current.model.engine_model
    assert (await services.model_resolver.choose("same", None))[0].engine_model is live
    await services.model_resolver.unload("same", None)
    assert (await services.model_resolver.choose("same", None))[0].engine_model is live


async def test_a_version_must_be_the_rows(services: Services, register: Register) -> None:
    model_id = await register("a")
    await services.registry.update(model_id, ModelUpdate(version="v2"), "test")
    assert (await winner(services, "a", "v2"))[1] == model_id
    with pytest.raises(ModelNotFound, match="version 'v1'"):
        await winner(services, "a", "v1")


async def test_a_change_by_this_process_shows_at_once(services: Services, register: Register) -> None:
    a, b = await register("a", winner=0), await register("b", winner=1)
    assert (await winner(services, "a"))[:2] == (0, a)
    await services.registry.update(a, ModelUpdate(file_path="models/b.onnx"), "test")
    assert (await winner(services, "a"))[:2] == (1, a)
    await services.registry.update(a, ModelUpdate(model_name="c"), "test")
    await services.registry.update(b, ModelUpdate(model_name="a"), "test")
    assert (await winner(services, "a"))[:2] == (1, b)
    await services.registry.delete(b, "test")
    with pytest.raises(ModelNotFound):
        await winner(services, "a")


async def test_a_change_by_another_process_shows_after_the_poll_interval(
    services: Services, open_process: Any, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 100.0
    monkeypatch.setattr("understudy.serving.prediction.model_resolver.time.monotonic", lambda: clock)
    a = await register("a", winner=0)
    await winner(services, "a")
    other: Services = await open_process()
    async with other.database.write() as session:
        await session.execute(text("UPDATE ml_models SET model_name = 'gone'"))
    assert (await winner(services, "a"))[1] == a  # the last look-up is recent enough
    clock += services.settings.poll_seconds
    with pytest.raises(ModelNotFound):
        await winner(services, "a")


async def test_a_model_in_use_is_looked_up_again_without_a_wait(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 100.0
    monkeypatch.setattr("understudy.serving.prediction.model_resolver.time.monotonic", lambda: clock)
    await register("a")
    first, _ = await services.model_resolver.choose("a", None)
    loads = 0
    prepare = services.model_resolver._preparation.prepare

    async def counted(model_id: int) -> Any:
        nonlocal loads
        loads += 1
        return await prepare(model_id)

    monkeypatch.setattr(services.model_resolver._preparation, "prepare", counted)
    for _ in range(8):
        clock += 0.6 * services.settings.poll_seconds
        assert (await services.model_resolver.choose("a", None))[0] is first
        await services.model_resolver.close()
    assert loads == 0  # row and file were checked, and nothing was loaded again


async def test_many_requests_for_a_cold_model_load_it_once(services: Services, register: Register) -> None:
    await register("a")
    found = await asyncio.gather(*(services.model_resolver.choose("a", None) for _ in range(20)))
    assert len({id(model) for model, _ in found}) == 1


async def test_ready_means_compiled_and_a_lost_file_is_named(
    services: Services, register: Register, database_settings: Settings
) -> None:
    model_id = await register("a", labels=(services.database.kind, "y", "z"))
    with pytest.raises(Unavailable, match="is not ready; its compile state is not_compiled"):
        await services.model_resolver.require_ready("a", None)
    with pytest.raises(ReportNotFound):
        await services.model_resolver.describe("a", None)
    await services.compilation.compile(await services.registry.ensure_file_record(model_id))
    await services.model_resolver.require_ready("a", None)
    identity, report = await services.model_resolver.describe("a", None)
    assert (identity.model_id, report.inputs[0].name) == (model_id, "patch")
    (database_settings.models_dir / "a.onnx").unlink()
    with pytest.raises(FileMissing):
        await winner(services, "a")


async def test_a_name_given_to_another_row_while_it_is_looked_up_describes_that_row(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = await register("a"), await register("b", winner=1)
    await services.compilation.compile((await services.registry.read_spec_now(b)).model)

    async def swap_names() -> None:
        await services.registry.update(a, ModelUpdate(model_name="c"), "test")
        await services.registry.update(b, ModelUpdate(model_name="a"), "test")

    done = act_at(monkeypatch, services.model_resolver, "_find_id", swap_names)
    identity, _ = await services.model_resolver.describe("a", None)
    assert done
    assert (identity.model_id, identity.model_name) == (b, "a")
