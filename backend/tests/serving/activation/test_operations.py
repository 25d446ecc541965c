"""Operations are stored as far as somebody could see them, and end even where their process died."""

import asyncio
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, event

from tests.serving.conftest import Opener, Register
from understudy.compiler.compiled_store import CompiledModel
from understudy.container import Services
from understudy.errors import FileMissing, ModelNotFound, OperationNotFound
from understudy.registry.deployment import change_feed, operation_rows
from understudy.registry.models.file_records import RegisteredFile
from understudy.schemas.server.operation import Operation, OperationState, Step
from understudy.serving.activation import operation_progress, operations
from understudy.serving.examples.prover import describe_unproved
from understudy.settings import Settings

pytestmark = pytest.mark.anyio


async def left_behind(
    services: Services, *, age: timedelta, state: OperationState = OperationState.RUNNING
) -> Operation:
    """As a process that was killed leaves it."""
    then = datetime.now(UTC) - age
    operation = Operation(
        operation_id=f"left-{age.days}",
        kind="activate",
        model_id=1,
        state=state,
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
    assert found.error.detail == "The process that ran this activation ended before the activation was done."
    assert "`understudy status`" in found.error.remedy


@pytest.mark.parametrize(
    ("seconds", "state", "expected"),
    [
        (50, OperationState.RUNNING, OperationState.RUNNING),
        (61, OperationState.RUNNING, OperationState.FAILED),
        (3600, OperationState.SUCCEEDED, OperationState.SUCCEEDED),
    ],
)
async def test_only_a_running_operation_is_lost_after_a_minute_of_silence(
    services: Services, seconds: int, state: OperationState, expected: OperationState
) -> None:
    silent = await left_behind(services, age=timedelta(seconds=seconds), state=state)
    assert (await services.operations.get(silent.operation_id)).state is expected


async def test_a_long_activation_gives_signs_of_life(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operation_progress, "SIGN_OF_LIFE_SECONDS", 0.01)
    monkeypatch.setattr(operation_progress, "VISIBLE_SECONDS", 0.01)
    compiling = asyncio.Event()
    compile_model = services.compilation.compile

    async def compile_slowly(model: RegisteredFile) -> CompiledModel:
        await compiling.wait()
        return await compile_model(model)

    monkeypatch.setattr(services.compilation, "compile", compile_slowly)
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


@pytest.fixture
def transactions(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[str]]]:
    """The statements of every write transaction that commits from now on; a step never lasts long enough to be seen."""
    monkeypatch.setattr(operation_progress, "VISIBLE_SECONDS", 3600.0)
    committed: list[list[str]] = []
    statements: dict[int, list[str]] = {}
    engine = services.database._engine.sync_engine

    def collect(connection: Connection, _: object, statement: str, *__: object) -> None:
        statements.setdefault(id(connection.connection.dbapi_connection), []).append(statement)

    def commit(connection: Connection) -> None:
        committed.append(statements.pop(id(connection.connection.dbapi_connection), []))

    def roll_back(connection: Connection) -> None:
        statements.pop(id(connection.connection.dbapi_connection), None)

    listeners: dict[str, Callable[..., None]] = {
        "before_cursor_execute": collect,
        "commit": commit,
        "rollback": roll_back,
    }
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    yield committed
    for name, listener in listeners.items():
        event.remove(engine, name, listener)


def tables_written(transaction: list[str]) -> set[str]:
    return set(re.findall(r"(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)", "\n".join(transaction)))


@pytest.mark.parametrize("wait", [True, False])
async def test_a_warm_swap_writes_only_what_somebody_can_see(
    services: Services, register: Register, transactions: list[list[str]], wait: bool
) -> None:
    first, second = await register("first"), await register("second", 1)
    for model in (first, second):
        await services.operations.activate(model, "test", wait=True)
    transactions.clear()
    operation = await services.operations.activate(first, "test", wait=wait)
    await services.operations.close()
    switch = {"ml_models", "understudy_stage", "understudy_history", "understudy_history_head"}
    progress = {"understudy_operations"}
    # The caller that does not wait needs the operation before it starts, to poll it.
    assert [tables_written(each) for each in transactions] == [*([] if wait else [progress]), switch, progress]
    locks = [each for transaction in transactions for each in transaction if "LOCK" in each or "lock(" in each]
    expected = {"sqlite": 0, "postgresql": 2}  # the advisory lock, and the table's
    assert len(locks) == expected[services.database.kind]
    assert (await services.operations.get(operation.operation_id)).generation == 3


async def test_a_refused_activation_writes_the_reason_and_the_outcome(
    services: Services, register: Register, transactions: list[list[str]], database_settings: Settings
) -> None:
    model = await register("first")
    (database_settings.models_dir / "first.onnx").unlink()
    transactions.clear()
    with pytest.raises(FileMissing):
        await services.operations.activate(model, "test", wait=True)
    assert [tables_written(each) for each in transactions] == [
        {"understudy_history", "understudy_history_head"},
        {"understudy_operations"},
    ]


@pytest.mark.parametrize("wait", [True, False])
async def test_a_step_that_lasts_is_stored_for_other_processes(
    services: Services, register: Register, open_process: Opener, monkeypatch: pytest.MonkeyPatch, wait: bool
) -> None:
    monkeypatch.setattr(operation_progress, "VISIBLE_SECONDS", 0.0)
    compiling = asyncio.Event()
    compile_model = services.compilation.compile

    async def compile_slowly(model: RegisteredFile) -> CompiledModel:
        await compiling.wait()
        return await compile_model(model)

    monkeypatch.setattr(services.compilation, "compile", compile_slowly)
    other = await open_process()
    model = await register("first")
    activation = asyncio.create_task(services.operations.activate(model, "test", wait=wait))
    seen: list[Operation] = []
    async with asyncio.timeout(30):
        while not (seen and seen[-1].step is Step.COMPILE):
            await asyncio.sleep(0.01)
            async with other.database.read() as session:
                seen = await change_feed.list_operations_after(session, datetime.min.replace(tzinfo=UTC))
    assert (seen[-1].state, seen[-1].progress) == (OperationState.RUNNING, 0.1)
    compiling.set()
    operation = await activation
    await services.operations.close()
    assert (await other.operations.get(operation.operation_id)).state is OperationState.SUCCEEDED


async def test_operations_of_long_ago_are_forgotten(services: Services, register: Register) -> None:
    old = await left_behind(services, age=timedelta(days=31))
    recent = await left_behind(services, age=timedelta(days=29))
    await services.operations.activate(await register("first"), "test", wait=True)
    with pytest.raises(OperationNotFound):
        await services.operations.get(old.operation_id)
    assert (await services.operations.get(recent.operation_id)).started_at == recent.started_at


async def test_an_activation_that_breaks_off_ends_as_failed_with_the_reason(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = await register("first")

    async def break_off(_: RegisteredFile) -> CompiledModel:
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr(services.compilation, "compile", break_off)
    operation = await services.operations.activate(model, "test", wait=False)
    await services.operations.close()
    failed = await services.operations.get(operation.operation_id)
    assert failed.state is OperationState.FAILED
    assert failed.error is not None
    assert (failed.error.code, failed.error.detail) == (
        "internal_error",
        "The activation failed: nobody foresaw this",
    )


async def test_a_finished_operation_reads_the_same_for_the_caller_and_for_others(
    services: Services, register: Register, open_process: Opener
) -> None:
    model = await register("first")
    before = datetime.now(UTC)
    operation = await services.operations.activate(model, "test", wait=True)
    assert before <= operation.started_at <= operation.updated_at <= datetime.now(UTC)
    expected = Operation(
        operation_id=operation.operation_id,
        kind="activate",
        model_id=model,
        state=OperationState.SUCCEEDED,
        step=Step.SWAP,
        progress=1.0,
        generation=1,
        error=None,
        warnings=(describe_unproved(model),),
        started_at=operation.started_at,
        updated_at=operation.updated_at,
        model=await services.registry.get_summary(model),
    )
    assert operation == expected
    assert operation.model is not None
    assert operation.model.is_active
    assert await (await open_process()).operations.get(operation.operation_id) == expected
    again = await services.operations.activate(await register("second", 1), "test", wait=True)
    assert again.operation_id != operation.operation_id
    back = await services.operations.roll_back("test", wait=True)
    assert (back.model_id, back.model) == (model, await services.registry.get_summary(model))
    await services.registry.delete(again.model_id, "test")
    assert (await services.operations.get(again.operation_id)).model is None


async def test_an_operation_that_nobody_waits_for_can_be_polled_at_once(services: Services, register: Register) -> None:
    model = await register("first")
    started = await services.operations.activate(model, "test", wait=False)
    stored = await services.operations.get(started.operation_id)
    for each in (started, stored):
        assert (each.kind, each.model_id) == ("activate", model)
        assert (each.state, each.step, each.progress) == (OperationState.RUNNING, Step.VERIFY, 0.0)
        assert (each.generation, each.error) == (None, None)
    await services.operations.close()
    assert (await services.operations.get(started.operation_id)).state is OperationState.SUCCEEDED


async def test_a_model_that_does_not_exist_starts_no_operation(services: Services) -> None:
    with pytest.raises(ModelNotFound):
        await services.operations.activate(999, "test", wait=False)
    async with services.database.read() as session:
        assert await change_feed.list_operations_after(session, datetime.min.replace(tzinfo=UTC)) == []


async def test_an_activation_goes_on_when_its_caller_disconnects(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = await register("first")
    reached, compiling = asyncio.Event(), asyncio.Event()
    compile_model = services.compilation.compile

    async def compile_slowly(model: RegisteredFile) -> CompiledModel:
        reached.set()
        await compiling.wait()
        return await compile_model(model)

    monkeypatch.setattr(services.compilation, "compile", compile_slowly)
    caller = asyncio.create_task(services.operations.activate(model, "test", wait=True))
    await reached.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert services.live.current is None
    compiling.set()
    await services.operations.close()
    live = services.live.current
    assert live is not None
    assert live.model.identity.model_id == model


async def test_a_server_that_stops_ends_an_activation_that_takes_long(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = await register("first")
    reached, ended = asyncio.Event(), asyncio.Event()

    async def compile_without_end(model: RegisteredFile) -> CompiledModel:
        reached.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    monkeypatch.setattr(operations, "_CLOSE_SECONDS", 0.01)
    monkeypatch.setattr(services.compilation, "compile", compile_without_end)
    await services.operations.activate(model, "test", wait=False)
    await reached.wait()
    async with asyncio.timeout(10):
        await services.operations.close()
    assert ended.is_set()
    assert services.live.current is None
