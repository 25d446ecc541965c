"""Examples are run through the served pipeline, and a model that misses them does not go live."""

import io
import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.sample_files import tone
from tests.serving.conftest import Opener, Register
from tests.types import ModelFactory
from understudy.container import Services
from understudy.engine.engine import EngineModel
from understudy.engine.local_model import LocalModel
from understudy.errors import Conflict, ExamplesInvalid, ExamplesMissed, StorageUnavailable, TooLarge
from understudy.registry.files.example_clips import ExampleClips, NewExample
from understudy.registry.models import example_rows
from understudy.schemas.compiler.quantization import Gate, Precision, Quantization
from understudy.schemas.compiler.runtime import Runtime
from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.registry.examples import ClipProof, ExamplesSummary, Expectation, ProofState
from understudy.schemas.registry.model import ModelCreate, ModelUpdate
from understudy.schemas.registry.model_query import ModelQuery
from understudy.serving.activation.preparation import Candidate, OnStep
from understudy.serving.examples import prover
from understudy.serving.examples.prover import Prover
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

_SUM = math.exp(4) + 2
SCORES = {"a": math.exp(4) / _SUM, "b": 1 / _SUM, "c": 1 / _SUM}  # of `make_model`, whatever is heard


def example(
    file: str = "one.wav",
    label: str | None = "a",
    scores: Mapping[str, float] = SCORES,
    clip: bytes | None = None,
    tolerance: float = 0.01,
) -> NewExample:
    expected = Expectation(file=file, label=label, scores=dict(scores), tolerance=tolerance)
    return NewExample(expected, io.BytesIO(tone(1.2, hertz=300) if clip is None else clip))


@pytest.fixture
def count_runs(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Counts the clips that were decoded and scored for examples."""
    runs: list[object] = []
    prove = Prover._prove_clip

    async def counted(prover: Prover, model: EngineModel, clip: bytes, *rest: Any) -> ClipProof:
        runs.append(clip)
        return await prove(prover, model, clip, *rest)

    monkeypatch.setattr(Prover, "_prove_clip", counted)
    return lambda: len(runs)


async def summary(services: Services, model_id: int) -> ExamplesSummary:
    return (await services.registry.get(model_id)).examples


async def test_a_model_that_agrees_goes_live_and_says_within_what(services: Services, register: Register) -> None:
    model_id = await register("head")
    assert (await summary(services, model_id)).text == "features not proved"
    shifted = {"a": SCORES["a"] - 0.0029}
    given = [example(), example("sub/two.wav", scores=shifted, clip=tone(3, 44_100))]
    found = await services.examples.replace(model_id, given, "test")
    assert (found.summary.state, found.summary.text) == (ProofState.PENDING, "2 not run yet")
    done = await services.operations.activate(model_id, "test", wait=True)
    assert done.warnings == ()
    found = await services.examples.get(model_id)
    assert found.summary == await summary(services, model_id)
    assert (found.summary.state, found.summary.text) == (ProofState.PROVED, "2 of 2 within 0.003")
    assert found.proof is not None
    assert found.proof.program == prover.describe_program(Runtime.ONNX)
    assert found.proof.clips[1].max_difference == pytest.approx(0.0029, abs=1e-6)


@pytest.mark.parametrize(
    ("missed", "detail"),
    [
        (example(label="b", scores={}), "the model answers 'a', the example says 'b'"),
        (example(clip=b"not audio at all" * 100), "cannot be compared"),
    ],
    ids=["label", "no audio"],
)
async def test_a_model_that_misses_an_example_stays_out_and_the_history_says_why(
    services: Services, register: Register, missed: NewExample, detail: str
) -> None:
    missed.clip.seek(0)
    live, model_id = await register("live", 1), await register("head")
    await services.activation.activate(live, "test")
    other = example("other.wav", label="a", scores={"a": SCORES["a"]})
    await services.examples.replace(model_id, [other, missed], "test")
    with pytest.raises(ExamplesMissed) as refused:
        await services.activation.activate(model_id, "test")
    assert detail in refused.value.detail
    assert "1 of 2 examples agree. one.wav" in refused.value.detail
    assert f"understudy examples {model_id}" in refused.value.remedy
    assert (await services.registry.get_active()).model_id == live
    [entry, *_] = (await services.registry.list_history(model_id)).entries
    assert (entry.event, entry.code, entry.detail) == ("refused", "examples_missed", refused.value.detail)
    assert (await summary(services, model_id)).state is ProofState.MISSED
    await services.examples.remove(model_id, "test")
    await services.activation.activate(model_id, "test")


async def test_a_tolerance_of_an_example_is_its_own(services: Services, register: Register) -> None:
    model_id = await register("head")
    wide = example(scores={"a": SCORES["a"] - 0.1}, tolerance=0.2)
    await services.examples.replace(model_id, [wide], "test")
    await services.activation.activate(model_id, "test")
    assert (await summary(services, model_id)).text == "1 of 1 within 0.1"


async def test_the_queue_runs_the_examples_and_the_activation_repeats_nothing(
    services: Services, register: Register, open_process: Opener, count_runs: Callable[[], int]
) -> None:
    model_id = await register("head")
    await services.examples.replace(model_id, [example(), example("two.wav")], "test")
    model = (await services.registry.read_spec_now(model_id)).model
    await services.prover.prove_compiled(model, await services.compilation.compile(model))
    assert (await summary(services, model_id)).state is ProofState.PROVED
    await (await open_process()).activation.activate(model_id, "test")
    assert count_runs() == 2
    await services.examples.replace(model_id, [example()], "test")
    await services.activation.activate(model_id, "test")
    assert count_runs() == 3


async def test_a_run_of_another_version_of_the_program_is_repeated(
    services: Services, register: Register, count_runs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    model_id = await register("head")
    await services.examples.replace(model_id, [example()], "test")
    await services.activation.activate(model_id, "test")
    monkeypatch.setattr(prover, "__version__", "99")
    await services.activation.activate(model_id, "test")
    assert count_runs() == 2


async def test_examples_survive_new_labels_and_a_new_registration_of_the_same_file(
    services: Services, register: Register
) -> None:
    model_id = await register("head")
    await services.examples.replace(model_id, [example()], "test")
    await services.activation.activate(model_id, "test")
    update = ModelUpdate(spec=PartialSpec(labels=("b", "a", "c")))
    await services.model_changes.update(model_id, update, "test")
    with pytest.raises(ExamplesMissed, match="answers 'b', the example says 'a'"):
        await services.activation.activate(model_id, "test")
    other = await register("other", 1)
    await services.activation.activate(other, "test")
    await services.registry.delete(model_id, "test")
    again = await services.registry.register(ModelCreate(model_name="again", file_path="models/head.onnx"), "test")
    assert again.examples.examples == 1
    await services.activation.activate(again.model_id, "test")


async def test_clips_are_stored_once_by_content_and_removed_with_their_example(
    services: Services, register: Register, database_settings: Settings
) -> None:
    model_id = await register("head")
    digest = (await services.registry.get(model_id)).digest
    assert digest is not None
    folder = database_settings.examples_dir / digest
    await services.examples.replace(model_id, [example(), example("same.wav"), example("b.wav", clip=tone())], "test")
    assert len(list(folder.iterdir())) == 2
    await services.examples.replace(model_id, [example()], "test")
    assert len(list(folder.iterdir())) == 1
    assert not list(database_settings.models_dir.glob("*.wav"))
    emptied = await services.examples.remove(model_id, "test")
    assert emptied.summary.state is ProofState.NOT_PROVED
    assert not folder.exists()


async def test_a_clip_that_is_gone_or_altered_stops_the_activation(
    services: Services, register: Register, database_settings: Settings
) -> None:
    model_id = await register("head")
    await services.examples.replace(model_id, [example()], "test")
    [path] = database_settings.examples_dir.glob("*/*")
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ExamplesMissed, match="missing or damaged in var/examples"):
        await services.activation.activate(model_id, "test")
    assert (await summary(services, model_id)).state is ProofState.PENDING


async def test_bounds_are_checked_before_anything_is_stored(
    services: Services, register: Register, database_settings: Settings
) -> None:
    model_id = await register("head")
    await services.examples.replace(model_id, [example()], "test")
    changes = services.examples
    size = len(tone(1.2))
    for setting, refusal in (
        ({"max_examples": 1}, ExamplesInvalid),
        ({"max_example_bytes": size - 1}, TooLarge),
        ({"max_examples_bytes": 2 * size - 1}, TooLarge),
    ):
        narrow = database_settings.model_copy(update=setting)
        changes._clips = type(changes._clips)(narrow)
        with pytest.raises(refusal):
            await changes.replace(model_id, [example(), example("two.wav")], "test")
    with pytest.raises(ExamplesInvalid, match="empty"):
        await changes.replace(model_id, [example(clip=b"")], "test")
    assert [each.file for each in (await changes.get(model_id)).examples] == ["one.wav"]
    assert len(list(database_settings.examples_dir.glob("*/*"))) == 1


async def test_examples_that_change_during_an_activation_stop_it(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_id = await register("head")
    prepare = services.activation._preparation.prepare_activation

    async def change_meanwhile(model_id: int, on_step: OnStep, variant: str, **options: bool) -> Candidate:
        candidate = await prepare(model_id, on_step, variant, **options)
        await services.examples.replace(model_id, [example(label="c", scores={})], "test")
        return candidate

    monkeypatch.setattr(services.activation._preparation, "prepare_activation", change_meanwhile)
    with pytest.raises(Conflict, match="examples of model"):
        await services.activation.activate(model_id, "test")


async def test_an_int8_variant_has_its_gates_allowance_for_scores_and_none_for_labels(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_id = await register("head")
    await services.activation.activate(model_id, "test")
    live = services.live.current
    assert live is not None
    model = await services.registry.ensure_file_record(model_id)
    await services.examples.replace(model_id, [example(scores={"a": SCORES["a"] - 0.1})], "test")
    with pytest.raises(ExamplesMissed):
        await services.prover.require(model, live.model.engine_model)
    values: dict[str, Any] = {"precision": Precision.INT8, "gate": Gate(max_change=0.25)}
    variant = Quantization.model_construct(**values)
    report = live.model.engine_model.report.model_copy(update={"key": "int8-x", "quantization": variant})
    assert isinstance(live.model.engine_model, LocalModel)
    monkeypatch.setattr(live.model.engine_model.pipeline, "report", report)
    assert (await services.prover.require(model, live.model.engine_model)).notes == ()
    await services.examples.replace(model_id, [example(label="b", scores={})], "test")
    with pytest.raises(ExamplesMissed):
        await services.prover.require(model, live.model.engine_model)


@pytest.mark.parametrize("place", ["store", "save"])
async def test_a_model_is_registered_with_its_examples_or_not_at_all(
    services: Services, make_model: ModelFactory, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def fail(*_: object) -> None:
        raise StorageUnavailable("The disk is full.")

    make_model(services.settings.models_dir / "head.onnx")
    request = ModelCreate(model_name="head", file_path="models/head.onnx")
    with monkeypatch.context() as outage:
        outage.setattr(*{"store": (ExampleClips, "store"), "save": (example_rows, "save")}[place], fail)
        with pytest.raises(StorageUnavailable):
            await services.examples.register_with(request, [example()], "test")
    assert (await services.registry.list(ModelQuery())).models == []
    assert not any(services.settings.examples_dir.glob("*/*"))
    model = await services.examples.register_with(request, [example()], "test")
    assert model.examples.text == "1 not run yet"


async def test_a_clip_that_cannot_be_removed_does_not_fail_what_is_committed(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageUnavailable("The disk is read-only.")

    model_id = await register("head")
    monkeypatch.setattr(ExampleClips, "keep_only", fail)
    assert (await services.examples.replace(model_id, [example()], "test")).summary.text == "1 not run yet"
    assert (await services.examples.remove(model_id, "test")).examples == ()
