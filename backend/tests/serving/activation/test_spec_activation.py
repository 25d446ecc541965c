"""A changed spec goes live with an activation, and with nothing else."""

import io
import json

import pytest

from tests.serving.conftest import Opener, Register
from understudy.container import Services
from understudy.errors import Conflict, SpecInvalid
from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.registry.model import ModelUpdate
from understudy.schemas.registry.model_detail import ModelDetail
from understudy.schemas.registry.model_query import ModelQuery
from understudy.serving.activation.preparation import Candidate, OnStep
from understudy.serving.examples.prover import describe_unproved
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

NAMES = ("dog", "rain", "siren")


async def _name(services: Services, model_id: int, labels: tuple[str, ...] | None = NAMES) -> ModelDetail:
    return await services.model_changes.update(model_id, ModelUpdate(spec=PartialSpec(labels=labels)), "test")


async def _predict(services: Services, wav: bytes, model_id: int | None = None) -> str:
    return (await services.predictor.predict(io.BytesIO(wav), model_id)).label


async def test_the_live_model_keeps_its_labels_until_it_is_activated_again(
    services: Services, register: Register, open_process: Opener, wav: bytes
) -> None:
    model_id = await register("head", labels=None)
    await services.activation.activate(model_id, "test")
    changed = await _name(services, model_id)
    assert changed.spec_pending
    assert await _predict(services, wav) == "class_0"
    assert await _predict(services, wav, model_id) == "class_0"
    live = (await services.status_reporter.status()).live
    assert live is not None
    assert any("The spec was changed. The live model answers with the earlier" in note for note in live.notes)

    started_later = await open_process()
    await started_later.reconciler.poll_once()
    assert await _predict(started_later, wav) == "class_0"

    await services.activation.activate(model_id, "test")
    await started_later.reconciler.poll_once()
    assert await _predict(services, wav) == await _predict(started_later, wav) == "dog"
    assert not (await services.registry.get(model_id)).spec_pending
    live = (await services.status_reporter.status()).live
    assert live is not None
    assert live.notes == ()


async def test_a_model_that_is_not_live_answers_under_its_new_labels_at_once(
    services: Services, register: Register, wav: bytes
) -> None:
    model_id = await register("head")
    await services.compilation.compile(await services.registry.ensure_file_record(model_id))
    changed = await _name(services, model_id)
    assert (changed.compile_state, changed.spec_pending) == ("not_compiled", False)
    assert await _predict(services, wav, model_id) == "dog"
    assert (await services.registry.get(model_id)).compile_state == "ready"


async def test_labels_that_do_not_fit_the_network_are_refused_before_anything_is_stored(
    services: Services, register: Register
) -> None:
    model_id = await register("head", labels=None)
    await services.activation.activate(model_id, "test")
    before = await services.registry.get(model_id)
    with pytest.raises(SpecInvalid, match="2 labels are given, but the model returns 3 scores"):
        await _name(services, model_id, ("dog", "rain"))
    thresholds = ModelUpdate(spec=PartialSpec(thresholds={"dog": 0.5}))
    with pytest.raises(SpecInvalid, match="name labels the model does not have: dog"):
        await services.model_changes.update(model_id, thresholds, "test")
    assert await services.registry.get(model_id) == before
    assert before.label_count == 3


async def test_a_changed_sidecar_goes_live_with_a_warning(
    services: Services, register: Register, database_settings: Settings, wav: bytes
) -> None:
    sidecar = database_settings.models_dir / "head.spec.json"
    sidecar.write_text(json.dumps({"labels": ["a", "b", "c"]}))
    model_id = await register("head")
    first = await services.operations.activate(model_id, "test", wait=True)
    assert first.warnings == (describe_unproved(model_id),)
    sidecar.write_text(json.dumps({"labels": NAMES}))
    again = await services.operations.activate(model_id, "test", wait=True)
    changed = "models/head.spec.json is no longer what was recorded; it changes: labels."
    assert again.warnings == (changed, describe_unproved(model_id))
    assert (await services.operations.get(again.operation_id)).warnings == again.warnings
    assert await _predict(services, wav) == "dog"
    assert (await services.registry.get(model_id)).notes == ()


async def test_a_given_spec_wins_over_a_changed_sidecar(
    services: Services, register: Register, database_settings: Settings, wav: bytes
) -> None:
    model_id = await register("head")
    await _name(services, model_id)
    (database_settings.models_dir / "head.spec.json").write_text(json.dumps({"labels": ["x", "y", "z"]}))
    done = await services.operations.activate(model_id, "test", wait=True)
    kept = "models/head.spec.json says another labels than what was given; what was given is used."
    assert done.warnings == (kept, describe_unproved(model_id))
    assert await _predict(services, wav) == "dog"


async def test_a_sidecar_that_cannot_be_served_is_refused_and_the_live_model_stays(
    services: Services, register: Register, open_process: Opener, database_settings: Settings, wav: bytes
) -> None:
    model_id = await register("head")
    await services.activation.activate(model_id, "test")
    (database_settings.models_dir / "head.spec.json").write_text(json.dumps({"labels": ["one"]}))
    with pytest.raises(SpecInvalid):
        await services.activation.activate(model_id, "test")
    assert (await services.registry.get(model_id)).compile_state == "ready"
    started_later = await open_process()
    await started_later.reconciler.poll_once()
    assert await _predict(started_later, wav) == "a"


async def test_a_spec_that_changes_during_an_activation_is_not_lost(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_id = await register("head")
    prepare = services.activation._preparation.prepare_activation

    async def change_meanwhile(model_id: int, on_step: OnStep, variant: str, *, tensors_only: bool) -> Candidate:
        candidate = await prepare(model_id, on_step, variant, tensors_only=tensors_only)
        await _name(services, model_id)
        return candidate

    monkeypatch.setattr(services.activation._preparation, "prepare_activation", change_meanwhile)
    with pytest.raises(Conflict, match="given another spec"):
        await services.activation.activate(model_id, "test")
    assert (await services.registry.list(ModelQuery())).active_model is None
    recorded = await services.registry.ensure_file_record(model_id)
    assert recorded.spec == PartialSpec(labels=NAMES)


async def test_a_live_model_without_label_names_says_so(services: Services, register: Register) -> None:
    model_id = await register("head", labels=None)
    done = await services.operations.activate(model_id, "test", wait=True)
    [unnamed] = [each for each in done.warnings if each != describe_unproved(model_id)]
    assert unnamed.startswith("The live model's labels have no names")
    assert f"understudy update {model_id} --labels FILE" in unnamed
    detail = await services.registry.get(model_id)
    assert (detail.labels_named, detail.label_count) == (False, 3)
    assert unnamed in detail.notes
