"""The queue goes on whatever becomes of one model, and tries again what an outage of the database stopped."""

import asyncio
from collections.abc import Callable
from typing import Any
from unittest.mock import AsyncMock

import pytest

from tests.serving.conftest import Register
from understudy.compiler.compiled_store import CompiledModel
from understudy.compiler.compiler import SLOW
from understudy.container import Services
from understudy.errors import CompilationEnded, DatabaseUnavailable
from understudy.models import CompileState
from understudy.registry.models.file_records import RegisteredFile
from understudy.registry.models.spec_reading import SpecReading
from understudy.serving.compilation import compile_queue

pytestmark = pytest.mark.anyio


async def test_models_are_compiled_after_an_outage_and_a_fault(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [await register("one"), await register("two", 1), await register("three", 2)]
    read = services.registry.read_spec_now
    failures: dict[int, Exception] = {ids[0]: DatabaseUnavailable("It is away."), ids[1]: RuntimeError("a fault")}

    async def fail_once(model_id: int) -> SpecReading:
        if (failure := failures.pop(model_id, None)) is not None:
            raise failure
        return await read(model_id)

    monkeypatch.setattr(services.registry, "read_spec_now", fail_once)
    monkeypatch.setattr(compile_queue, "_OUTAGE_SECONDS", 0.0)
    for model_id in ids:
        services.compile_queue.add(model_id)
    working = asyncio.create_task(services.compile_queue.work())
    async with asyncio.timeout(60):
        while [(await services.registry.get(each)).compile_state for each in (ids[0], ids[2])] != [
            CompileState.READY,
            CompileState.READY,
        ]:
            await asyncio.sleep(0.02)
    assert (await services.registry.get(ids[1])).compile_state == CompileState.NOT_COMPILED
    working.cancel()
    await asyncio.wait([working])


async def test_a_compilation_that_another_process_ended_is_tried_again_and_no_refusal(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_id = await register("one")
    compile_now, failures = services.compilation._compiler.compile, 2
    states: list[str] = []

    async def fail_twice(*arguments: Any) -> CompiledModel:
        nonlocal failures
        states.append((await services.registry.get(model_id)).compile_state)
        if failures:
            failures -= 1
            raise CompilationEnded("Another process ended it.")
        return await compile_now(*arguments)

    monkeypatch.setattr(services.compilation._compiler, "compile", fail_twice)
    monkeypatch.setattr(compile_queue, "_ENDED_SECONDS", 0.0)
    # The tests' compiled store may have the model already.
    monkeypatch.setattr(services.compilation, "find", AsyncMock(return_value=None))
    services.compile_queue.add(model_id)
    working = asyncio.create_task(services.compile_queue.work())
    async with asyncio.timeout(60):
        while (await services.registry.get(model_id)).compile_state != CompileState.READY:
            assert (await services.registry.get(model_id)).compile_state != CompileState.REFUSED
            await asyncio.sleep(0.02)
    assert states == [CompileState.COMPILING] * 3
    working.cancel()
    await asyncio.wait([working])


async def test_models_pass_others_that_take_long(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, quick = [await register("one"), await register("two", 1)], await register("three", 2)
    compile_really, began = services.compilation.compile, set[int]()

    async def compile_slowly(model: RegisteredFile, *, on_step: Callable[[str], None]) -> CompiledModel:
        if model.model_id in slow:
            began.add(model.model_id)
            on_step(SLOW)
            await asyncio.Event().wait()
        return await compile_really(model, on_step=on_step)

    monkeypatch.setattr(services.compilation, "compile", compile_slowly)
    for model_id in (*slow, quick):
        services.compile_queue.add(model_id)
    working = asyncio.create_task(services.compile_queue.work())
    async with asyncio.timeout(60):
        while (await services.registry.get(quick)).compile_state != CompileState.READY:
            await asyncio.sleep(0.02)
    assert began == set(slow)
    working.cancel()
    await asyncio.wait([working])
    assert services.compile_queue._running == set()
