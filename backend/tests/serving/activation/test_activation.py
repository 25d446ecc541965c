"""An activation makes a model the live one, or fails and leaves the old model live."""

import asyncio
import io
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.serving.conftest import Opener, Register
from tests.types import ModelFactory
from understudy.container import Services
from understudy.errors import (
    DatabaseUnavailable,
    FileChanged,
    FileMissing,
    FormatUnknown,
    ModelNotFound,
    NothingToRollBack,
    WarmUpFailed,
)
from understudy.inference.pipeline.pipeline import Pipeline
from understudy.registry import registry
from understudy.registry.deployment import desired_state, operation_rows
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.inference.prediction import ModelIdentity, Prediction
from understudy.schemas.registry.model import ModelCreate, ModelUpdate
from understudy.schemas.server.operation import Operation, OperationState, Step
from understudy.serving.activation import operation_progress
from understudy.serving.activation.preparation import WARM_MODELS, Candidate, OnStep
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

BeforeCommit = Callable[[Callable[[], Awaitable[object]]], None]


async def events(services: Services, model_id: int) -> list[tuple[str, str | None]]:
    return [(entry.event, entry.code) for entry in (await services.registry.list_history(model_id)).entries]


def count_loads(services: Services) -> int:
    return services.counters.loads.read()[0][-1][1]


def live_id(services: Services) -> int | None:
    return services.live.current.model.identity.model_id if services.live.current else None


async def test_the_steps_are_reported_in_order_and_the_generation_grows(services: Services, register: Register) -> None:
    first, second = await register("first"), await register("second", 1)
    steps: list[Step] = []
    one = (await services.activation.activate(first, "test", steps.append)).live
    two = (await services.activation.activate(second, "test")).live
    assert steps == [Step.VERIFY, Step.COMPILE, Step.WARM_UP, Step.COMMIT, Step.SWAP]
    assert two.generation == one.generation + 1
    assert live_id(services) == second
    assert (await events(services, first))[:2] == [("deactivated", None), ("activated", None)]


async def test_an_answer_that_cannot_be_built_undoes_the_switch(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await register("first"), await register("second", 1)
    await services.activation.activate(first, "test")

    def fail(*_: object) -> None:
        raise ValueError("a column that no answer can show")

    monkeypatch.setattr(registry, "to_answer", fail)
    with pytest.raises(ValueError, match="no answer can show"):
        await services.activation.activate(second, "test")
    monkeypatch.undo()
    assert live_id(services) == first
    assert (await services.registry.get_active()).model_id == first


async def test_a_file_that_changed_is_refused_and_the_old_model_stays(
    services: Services, register: Register, database_settings: Settings, make_model: ModelFactory
) -> None:
    first, second = await register("first"), await register("second", 1)
    await services.activation.activate(first, "test")
    make_model(database_settings.models_dir / "second.onnx", winner=2)
    with pytest.raises(FileChanged):
        await services.activation.activate(second, "test")
    assert live_id(services) == first
    active = await services.registry.get_active()
    assert active.model_id == first
    assert (await events(services, second))[0] == ("refused", "file_changed")


async def test_a_missing_file_is_refused_even_where_a_compiled_form_exists(
    services: Services, register: Register, database_settings: Settings
) -> None:
    first, second = await register("first"), await register("second", 1)
    await services.activation.activate(second, "test")
    await services.activation.activate(first, "test")
    (database_settings.models_dir / "second.onnx").unlink()
    with pytest.raises(FileMissing):
        await services.activation.activate(second, "test")
    assert live_id(services) == first


async def test_a_file_that_is_no_model_is_refused_and_the_reason_is_shown_on_its_row(
    services: Services, register: Register, database_settings: Settings
) -> None:
    first = await register("first")
    await services.activation.activate(first, "test")
    path = database_settings.models_dir / "text.keras"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    model = await services.registry.register(ModelCreate(model_name="lfs", file_path="models/text.keras"), "test")
    with pytest.raises(FormatUnknown):
        await services.activation.activate(model.model_id, "test")
    shown = await services.registry.get(model.model_id)
    assert shown.compile_state == "refused"
    assert shown.compile_error is not None
    assert "git lfs pull" in shown.compile_error.remedy
    assert live_id(services) == first


async def test_a_compiled_form_that_computes_something_else_fails_its_warm_up(
    services: Services, register: Register, database_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await register("first"), await register("second", 1)
    await services.activation.activate(first, "test")

    def drifted(self: Pipeline) -> None:
        raise WarmUpFailed("The outputs differ from the recorded ones by 0.5.")

    monkeypatch.setattr(Pipeline, "warm_up", drifted)
    with pytest.raises(WarmUpFailed):
        await services.activation.activate(second, "test")
    assert live_id(services) == first
    assert (await events(services, second))[0] == ("refused", "warm_up_failed")


@pytest.mark.parametrize("name", ["model.onnx", "probes.npz"])
async def test_a_damaged_compiled_form_is_compiled_anew(services: Services, register: Register, name: str) -> None:
    model_id = await register("damaged", labels=("damaged", name, "c"))
    compiled = await services.compilation.compile(await services.registry.ensure_file_record(model_id))
    file = compiled.folder / name
    whole = file.read_bytes()
    file.write_bytes(whole[:100] + b"bad sector" + whole[110:])
    await services.activation.activate(model_id, "test")
    assert live_id(services) == model_id
    assert file.read_bytes() == whole
    assert (await services.registry.get(model_id)).compile_state == "ready"
    assert await events(services, model_id) == [
        ("activated", None),
        ("compiled", None),
        ("compiled", None),
        ("registered", None),
    ]


@pytest.fixture
def before_commit(services: Services, monkeypatch: pytest.MonkeyPatch) -> BeforeCommit:
    """Calls a function between an activation's preparation and its commit."""
    prepare = services.activation._preparation.prepare_activation

    def change_before_commit(change: Callable[[], Awaitable[object]]) -> None:
        async def prepare_then_change(model_id: int, on_step: OnStep, variant: str, *, tensors_only: bool) -> Candidate:
            loaded = await prepare(model_id, on_step, variant, tensors_only=tensors_only)
            await change()
            return loaded

        monkeypatch.setattr(services.activation._preparation, "prepare_activation", prepare_then_change)

    return change_before_commit


async def test_a_row_deleted_while_its_model_warms_up_is_not_activated(
    services: Services, register: Register, before_commit: BeforeCommit
) -> None:
    first, second = await register("first"), await register("second", 1)
    await services.activation.activate(first, "test")
    before_commit(lambda: services.registry.delete(second, "test"))
    with pytest.raises(ModelNotFound):
        await services.activation.activate(second, "test")
    assert live_id(services) == first


async def test_a_row_given_another_file_while_its_model_warms_up_is_not_activated(
    services: Services, register: Register, before_commit: BeforeCommit
) -> None:
    first, second = await register("first"), await register("second", 1)
    await services.activation.activate(first, "test")
    before_commit(lambda: services.registry.update(second, ModelUpdate(file_path="models/first.onnx"), "test"))
    with pytest.raises(FileChanged, match=f"^Model {second} was given another file while this activation prepared it"):
        await services.activation.activate(second, "test")
    assert live_id(services) == first
    async with services.database.read() as session:
        desired = await desired_state.poll(session)
    assert (desired.active_model_id, desired.generation) == (first, 1)
    assert (await events(services, second))[0] == ("refused", "file_changed")


async def test_a_row_renamed_while_its_model_warms_up_goes_live_under_its_new_name(
    services: Services, register: Register, before_commit: BeforeCommit
) -> None:
    model = await register("first")
    before_commit(lambda: services.registry.update(model, ModelUpdate(model_name="renamed"), "test"))
    activated = await services.activation.activate(model, "test")
    assert services.live.current is not None
    assert services.live.current.model.identity.model_name == activated.row.model_name == "renamed"


async def test_a_swap_that_cannot_be_counted_is_done_all_the_same(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = await register("first")

    def fail(_: object) -> None:
        raise RuntimeError("no room")

    monkeypatch.setattr(services.live, "_on_swap", fail)
    operation = await services.operations.activate(model, "test", wait=True)
    assert operation.state is OperationState.SUCCEEDED
    assert live_id(services) == model


async def test_progress_that_cannot_be_stored_does_not_turn_a_success_into_an_error(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("a fault")

    model = await register("first")
    monkeypatch.setattr(operation_rows, "save", fail)
    monkeypatch.setattr(operation_progress, "VISIBLE_SECONDS", 0.0)
    operation = await services.operations.activate(model, "test", wait=True)
    assert operation.state is OperationState.SUCCEEDED
    assert live_id(services) == model


async def test_rolling_back_alternates_between_the_last_two(services: Services, register: Register) -> None:
    with pytest.raises(NothingToRollBack, match=r"^No other registered model was ever live\.$"):
        await services.activation.find_previous()
    first, second = await register("first"), await register("second", 1)
    await services.activation.activate(first, "test")
    await services.activation.activate(second, "test")
    for expected in (first, second):
        operation = await services.operations.roll_back("test", wait=True)
        assert (operation.kind, operation.model_id) == ("rollback", expected)
        assert live_id(services) == expected


async def test_activations_that_race_leave_one_active_row_and_its_model_live(
    services: Services, register: Register
) -> None:
    models = [await register(f"m{index}", index % 3) for index in range(4)]
    outcomes = await asyncio.gather(*(services.activation.activate(model, "test") for model in models * 3))
    assert sorted(outcome.live.generation for outcome in outcomes) == list(range(1, 13))
    last = max((outcome.live for outcome in outcomes), key=lambda live: live.generation)
    active = await services.registry.get_active()
    assert active.model_id == last.model.identity.model_id == live_id(services)


async def test_a_failed_operation_keeps_its_problem(
    services: Services, register: Register, database_settings: Settings
) -> None:
    model = await register("first")
    (database_settings.models_dir / "first.onnx").unlink()
    operation = await services.operations.activate(model, "test", wait=False)
    assert operation.state is OperationState.RUNNING
    await services.operations.close()
    operation = await services.operations.get(operation.operation_id)
    assert operation.state is OperationState.FAILED
    assert operation.error is not None
    assert operation.error.code == "file_missing"


async def test_under_a_stream_of_requests_swaps_fail_none_and_misattribute_none(
    services: Services, register: Register, wav: bytes
) -> None:
    """Every answer carries the label that only its named model gives, and that model was live during the request."""
    winners = {await register("first", 0): "a", await register("second", 1): "b"}
    await services.activation.activate(next(iter(winners)), "test")
    swapping = True
    answers: list[tuple[Prediction, int, int]] = []

    def generation() -> int:
        assert services.live.current is not None
        return services.live.current.generation

    async def predict_until_stopped() -> None:
        while swapping:
            before = generation()
            answer = await services.predictor.predict(io.BytesIO(wav))
            answers.append((answer, before, generation()))

    clients = [asyncio.create_task(predict_until_stopped()) for _ in range(4)]
    generations = {generation(): next(iter(winners))}
    for number in range(20):
        model = list(winners)[(number + 1) % 2]
        live = (await services.activation.activate(model, "test")).live
        generations[live.generation] = model
        answer = await services.predictor.predict(io.BytesIO(wav))
        assert answer.model.model_id == model, "an answer after the call returned came from the old model"
    swapping = False
    await asyncio.gather(*clients)
    assert len({answer.model.model_id for answer, _, _ in answers}) == 2
    for answer, before, after in answers:
        assert answer.label == winners[answer.model.model_id]
        assert answer.generation is not None
        assert before <= answer.generation <= after
        assert generations[answer.generation] == answer.model.model_id


async def test_a_crash_between_commit_and_swap_is_repaired_at_the_next_start(
    services: Services, register: Register, open_process: Opener
) -> None:
    first, second = await register("first"), await register("second", 1)
    await services.activation.activate(first, "test")
    async with services.database.write() as session:
        generation = await desired_state.switch(session, second, actor="test")
    restarted = await open_process()
    await restarted.reconciler.poll_once()
    assert live_id(restarted) == second
    assert restarted.live.current is not None
    assert restarted.live.current.generation == generation


async def test_the_compiled_copy_serves_where_the_file_is_gone_at_start(
    services: Services, register: Register, open_process: Opener, database_settings: Settings, wav: bytes
) -> None:
    model = await register("first")
    await services.activation.activate(model, "test")
    (database_settings.models_dir / "first.onnx").unlink()
    restarted = await open_process()
    await restarted.reconciler.poll_once()
    answer = await restarted.predictor.predict(io.BytesIO(wav))
    assert answer.model.model_id == model
    assert any("compiled copy" in warning for warning in answer.warnings)
    restarted.status_reporter.require_ready()
    status = await restarted.status_reporter.status()
    assert status.live is not None
    assert "models/first.onnx" in status.live.notes[0]


async def test_an_outage_after_the_commit_does_not_turn_a_success_into_an_error(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = await register("first")
    save = operation_rows.save

    async def down_after_the_commit(session: AsyncSession, operation: Operation) -> None:
        if operation.state is not OperationState.RUNNING:
            raise DatabaseUnavailable("The database does not answer.")
        await save(session, operation)

    monkeypatch.setattr(operation_rows, "save", down_after_the_commit)
    operation = await services.operations.activate(model, "test", wait=True)
    assert (operation.state, operation.generation) == (OperationState.SUCCEEDED, 1)
    assert live_id(services) == model


async def test_five_models_go_live_in_turn_and_only_the_oldest_is_loaded_again(
    services: Services, register: Register
) -> None:
    models = [await register(f"m{index}", labels=("a", "b", f"c{index}")) for index in range(WARM_MODELS + 1)]
    for model in models:
        await services.activation.activate(model, "test")
    assert count_loads(services) == len(models)
    await services.activation.activate(models[1], "test")
    assert count_loads(services) == len(models)
    await services.activation.activate(models[0], "test")
    assert count_loads(services) == len(models) + 1


async def test_a_live_model_carries_what_its_row_and_its_file_say(
    services: Services, database_settings: Settings, make_model: ModelFactory
) -> None:
    make_model(database_settings.models_dir / "named.onnx")
    request = ModelCreate(model_name="named", file_path="models/named.onnx", version="v7")
    model = await services.registry.register(request, "test")
    before = datetime.now(UTC)
    live = (await services.activation.activate(model.model_id, "test")).live
    assert services.live.current is live
    assert before <= live.since <= datetime.now(UTC)
    assert live.model.identity == ModelIdentity(
        model_id=model.model_id,
        model_name="named",
        version="v7",
        digest=model.digest or "",
        precision=Precision.FLOAT32,
    )
    assert (live.model.notes, live.model.variant) == ((), "float32")


async def test_a_loaded_model_is_current_until_its_row_changes(services: Services, register: Register) -> None:
    first, second = await register("first"), await register("second", 1)
    loaded = await services.activation._preparation.prepare(first)
    for change in (
        ModelUpdate(version="v2"),
        ModelUpdate(model_name="renamed"),
        ModelUpdate(file_path="models/second.onnx"),
    ):
        assert await services.activation._preparation.is_current(loaded)
        await services.registry.update(first, change, "test")
        assert not await services.activation._preparation.is_current(loaded)
        loaded = await services.activation._preparation.prepare(first)
    assert loaded.identity.digest == (await services.registry.get(second)).digest


async def test_a_refused_activation_is_counted_and_names_who_asked(
    services: Services, register: Register, database_settings: Settings
) -> None:
    model = await register("first")
    (database_settings.models_dir / "first.onnx").unlink()
    before = services.counters.activation_refusals.copy()
    with pytest.raises(FileMissing) as refused:
        await services.activation.activate(model, "somebody")
    assert services.counters.activation_refusals - before == {"file_missing": 1}
    entry = (await services.registry.list_history(model)).entries[0]
    assert (entry.event, entry.actor, entry.generation) == ("refused", "somebody", None)
    assert (entry.code, entry.detail, entry.remedy) == ("file_missing", refused.value.detail, refused.value.remedy)


async def test_an_outage_does_not_hide_why_an_activation_was_refused(
    services: Services, register: Register, database_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = await register("first")
    (database_settings.models_dir / "first.onnx").unlink()

    @asynccontextmanager
    async def down() -> AsyncIterator[AsyncSession]:
        raise DatabaseUnavailable("The database does not answer.")
        yield

    monkeypatch.setattr(services.database, "write", down)
    with pytest.raises(FileMissing):
        await services.activation.activate(model, "test")


async def test_a_rollback_is_recorded_with_who_asked(services: Services, register: Register) -> None:
    first, second = await register("first"), await register("second", 1)
    await services.activation.activate(first, "test")
    await services.activation.activate(second, "test")
    operation = await services.operations.roll_back("somebody", wait=True)
    assert (operation.state, operation.generation) == (OperationState.SUCCEEDED, 3)
    entries = (await services.registry.list_history(limit=2)).entries
    assert [(entry.event, entry.model_id, entry.actor, entry.generation, entry.form) for entry in entries] == [
        ("rolled_back", first, "somebody", 3, "float32"),
        ("deactivated", second, "somebody", 3, None),
    ]


async def test_a_load_is_measured_in_seconds(services: Services, register: Register) -> None:
    model = await register("first")
    started = time.perf_counter()
    await services.activation.activate(model, "test")
    assert 0 < services.counters.loads.read()[1] <= time.perf_counter() - started
