"""An activation that someone polls ends one way or the other, even when its process did not live to say so."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.serving.conftest import Register
from understudy.container import Services
from understudy.errors import OperationNotFound
from understudy.registry.deployment import operation_rows
from understudy.schemas.server.operation import Operation, OperationState, Step
from understudy.serving.activation import operations

pytestmark = pytest.mark.anyio


async def left_behind(services: Services, *, age: timedelta) -> Operation:
    """As a process that was killed leaves it."""
    then = datetime.now(UTC) - age
    operation = Operation(
        operation_id=f"left-{age.days}",
        kind="activate",
        model_id=1,
        state=OperationState.RUNNING,
        step=Step.COMPILE,
        progress=0.1,
        generation=None,
        error=None,
        started_at=then,
        updated_at=then,
    )
    async with services.database.write() as session:
        await operation_rows.save(session, operation)
    return operation


async def test_an_operation_whose_process_died_shows_as_failed(services: Services) -> None:
    lost = await left_behind(services, age=timedelta(minutes=2))
    found = await services.operations.get(lost.operation_id)
    assert found.state is OperationState.FAILED
    assert found.error is not None
    assert found.error.code == "unavailable"


async def test_a_long_activation_gives_signs_of_life(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "SIGN_OF_LIFE_SECONDS", 0.01)
    compiling = asyncio.Event()
    compile_model = services.compilation.compile

    async def slowly(*arguments: object) -> object:
        await compiling.wait()
        return await compile_model(*arguments)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(services.compilation, "compile", slowly)
    operation = await services.operations.activate(await register("first"), "test", wait=False)
    seen: set[datetime] = set()
    async with asyncio.timeout(30):
        while len(seen) < 4:
            running = await services.operations.get(operation.operation_id)
            assert running.state is OperationState.RUNNING
            seen.add(running.updated_at)
            await asyncio.sleep(0.01)
        compiling.set()
        while (await services.operations.get(operation.operation_id)).state is not OperationState.SUCCEEDED:
            await asyncio.sleep(0.01)


async def test_operations_of_long_ago_are_forgotten(services: Services, register: Register) -> None:
    old = await left_behind(services, age=timedelta(days=31))
    await services.operations.activate(await register("first"), "test", wait=True)
    with pytest.raises(OperationNotFound):
        await services.operations.get(old.operation_id)
