"""A model that cannot score recordings goes live only where the caller permits it."""

import io

import pytest
from sqlalchemy import text

from tests.serving.conftest import Register
from tests.types import ModelFactory
from understudy.container import Services
from understudy.errors import NotForAudio, TakesTensors
from understudy.inference.pipeline.pipeline import Pipeline
from understudy.registry.registry import Registry
from understudy.schemas.compiler.spec import InputKind, PartialSpec
from understudy.schemas.registry.model import ModelCreate
from understudy.serving.examples.prover import describe_unproved

pytestmark = pytest.mark.anyio

TAKES = "It takes patch [?, 96, 64] float32 and returns scores [?, 3] float32."


@pytest.fixture
async def tensors(services: Services, make_model: ModelFactory) -> int:
    """A registered model whose spec says that its input is a tensor."""
    make_model(services.settings.models_dir / "tensors.onnx", winner=2)
    spec = PartialSpec(input=InputKind.TENSOR)
    request = ModelCreate(model_name="tensors", file_path="models/tensors.onnx", spec=spec)
    return (await services.registry.register(request, "test")).model_id


def live_id(services: Services) -> int | None:
    return services.live.current.model.identity.model_id if services.live.current else None


async def read_notes(registry: Registry, model_id: int) -> str:
    return " ".join((await registry.get(model_id)).notes)


async def test_a_tensor_model_is_refused_before_it_is_loaded(
    services: Services, register: Register, tensors: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await register("first")
    await services.activation.activate(first, "test")
    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "load", None)  # a call would raise another error
        with pytest.raises(TakesTensors) as refused:
            await services.operations.activate(tensors, "test", wait=True)
    assert refused.value.detail == (
        f"Model {tensors} takes tensors only: it cannot score recordings, so it was not made live. {TAKES}"
    )
    assert f"understudy update {tensors} --spec FILE" in refused.value.remedy
    assert f"understudy activate {tensors} --tensors-only" in refused.value.remedy
    assert live_id(services) == first
    assert (await services.registry.get_active()).model_id == first
    [entry] = (await services.registry.list_history(tensors, event="refused")).entries
    assert (entry.code, entry.detail, entry.actor) == ("takes_tensors", refused.value.detail, "test")
    assert (await services.registry.get(tensors)).compile_state == "ready"


async def test_a_tensor_model_goes_live_where_the_caller_permits_it_and_says_so(
    services: Services, tensors: int, wav: bytes
) -> None:
    operation = await services.operations.activate(tensors, "test", wait=True, tensors_only=True)
    [note] = operation.warnings
    assert note.startswith(f"The live model takes tensors only: it cannot score recordings. {TAKES}")
    await services.reconciler.poll_once()
    live = (await services.status_reporter.status()).live
    assert live is not None
    assert (live.tensors_only, live.notes) == (True, (note,))
    ready = services.status_reporter.check_readiness(require_model=True)
    assert (ready.tensors_only, ready.note) == (True, note)
    assert note in await read_notes(services.registry, tensors)
    with pytest.raises(NotForAudio):
        await services.predictor.predict(io.BytesIO(wav), None)


async def test_a_model_for_recordings_has_no_such_note(services: Services, register: Register) -> None:
    first = await register("first")
    operation = await services.operations.activate(first, "test", wait=True, tensors_only=True)
    assert operation.warnings == (describe_unproved(first),)
    await services.reconciler.poll_once()
    live = (await services.status_reporter.status()).live
    assert live is not None
    assert (live.tensors_only, live.notes) == (False, ())
    ready = services.status_reporter.check_readiness(require_model=True)
    assert (ready.tensors_only, ready.note) == (False, None)


async def test_a_compiled_tensor_model_that_is_not_live_says_what_it_takes(services: Services, tensors: int) -> None:
    await services.compilation.compile(await services.registry.ensure_file_record(tensors))
    assert f"The model takes tensors only: it cannot score recordings. {TAKES}" in await read_notes(
        services.registry, tensors
    )


async def test_a_rollback_to_a_tensor_model_is_permitted(services: Services, register: Register, tensors: int) -> None:
    await services.activation.activate(tensors, "test", tensors_only=True)
    await services.activation.activate(await register("first"), "test")
    operation = await services.operations.roll_back("test", wait=True)
    assert live_id(services) == tensors
    assert "cannot score recordings" in operation.warnings[0]


async def test_a_tensor_row_made_active_by_hand_is_served_with_a_note(services: Services, tensors: int) -> None:
    async with services.database.write() as session:
        await session.execute(text(f"UPDATE ml_models SET is_active = TRUE WHERE model_id = {tensors}"))
    await services.reconciler.poll_once()
    assert services.live.current is not None
    assert live_id(services) == tensors
    [note] = services.live.current.model.notes
    assert "cannot score recordings" in note
