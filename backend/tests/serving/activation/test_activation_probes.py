"""A model is run on unusual recordings before it goes live; tests/engine/workers has those that end a process."""

from typing import BinaryIO

import pytest

from tests.engine.workers.hostile_models import LEVEL, write_hostile
from tests.serving.conftest import Register
from understudy.container import Services
from understudy.engine.engine import EngineModel, Priority, ScoredClip
from understudy.errors import Overloaded, ProbeFailed, UnderstudyError, WorkerDied
from understudy.inference.proof import probe_clips
from understudy.schemas.compiler.spec import InputKind, OutputActivation, PartialSpec
from understudy.schemas.registry.model import ModelCreate
from understudy.serving.activation import activation_probes
from understudy.serving.activation.activation_probes import ActivationProbes
from understudy.serving.examples.prover import describe_unproved

pytestmark = pytest.mark.anyio

# No answer below 1.5 times full scale: noise of the comparison reaches it, recordings do not.
DEAF = """
  limit = Constant <value = float {1.5}> ()
  above = Sub (peak, limit)
  number = Sqrt (above)
"""


async def register_waveform(services: Services, attack: str) -> int:
    write_hostile(services.settings.models_dir / "wave.onnx", attack)
    spec = PartialSpec(
        input=InputKind.WAVEFORM,
        sample_rate=16_000,
        window_seconds=1.0,
        labels=("quiet", "loud"),
        activation=OutputActivation.NONE,
    )
    request = ModelCreate(model_name="wave", file_path="models/wave.onnx", spec=spec)
    return (await services.registry.register(request, "test")).model_id


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one entry each time that probes are made for a model on sound."""
    made: list[str] = []

    def make(*arguments: object) -> list[probe_clips.ProbeClip]:
        made.append("run")
        return probe_clips.make_probe_clips(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(activation_probes, "make_probe_clips", make)
    return made


async def test_an_ordinary_model_has_no_warning_and_is_probed_once(
    services: Services, register: Register, runs: list[str]
) -> None:
    model_id = await register("first")
    for _ in range(2):
        operation = await services.operations.activate(model_id, "test", wait=True)
        assert operation.warnings == (describe_unproved(model_id),)
    assert runs == ["run"]
    await services.operations.activate(await register("second", 1), "test", wait=True)
    assert runs == ["run", "run"]


async def test_a_probe_that_is_not_answered_is_a_warning(services: Services) -> None:
    operation = await services.operations.activate(await register_waveform(services, LEVEL), "test", wait=True)
    warning = (
        "The model does not answer digital silence: The model's output holds values that are infinite or not numbers "
        "(NaN), for every window of the recording."
    )
    assert operation.warnings[0] == warning
    again = await services.operations.activate(operation.model_id, "test", wait=True)
    assert again.warnings == operation.warnings


async def test_a_model_that_answers_no_recording_is_refused(services: Services, register: Register) -> None:
    first = await register("first")
    await services.activation.activate(first, "test")
    deaf = await register_waveform(services, DEAF)
    with pytest.raises(ProbeFailed, match=r"answers no recording: .*does not answer noise, digital silence, a full"):
        await services.activation.activate(deaf, "test")
    assert services.live.current is not None
    assert services.live.current.model.identity.model_id == first
    [entry] = (await services.registry.list_history(deaf, event="refused")).entries
    assert entry.code == "probe_failed"


class Unsteady:
    """An engine that fails first with each of the given errors."""

    def __init__(self, services: Services, *errors: UnderstudyError) -> None:
        self._engine = services.engine
        self._errors = [*errors]

    async def score_clip(self, model: EngineModel, source: BinaryIO, priority: Priority) -> ScoredClip:
        if self._errors:
            raise self._errors.pop(0)
        return await self._engine.score_clip(model, source, priority)


@pytest.mark.parametrize(
    ("failures", "refusal"),
    [
        ([Overloaded("Busy."), WorkerDied("Killed."), Overloaded("Busy.")], None),
        ([WorkerDied("Killed."), WorkerDied("Killed again.")], ProbeFailed),
        ([Overloaded("Busy.")] * 10_000, Overloaded),
    ],
    ids=["recovers", "dies twice", "stays busy"],
)
async def test_probes_are_tried_again_while_the_engine_recovers(
    services: Services,
    register: Register,
    monkeypatch: pytest.MonkeyPatch,
    failures: list[UnderstudyError],
    refusal: type[UnderstudyError] | None,
) -> None:
    monkeypatch.setattr(activation_probes, "_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(activation_probes, "_PATIENCE_SECONDS", 0.1)
    model_id = await register("first")
    await services.activation.activate(model_id, "test")
    assert services.live.current is not None
    model = services.live.current.model.engine_model
    probes = ActivationProbes(services.settings, Unsteady(services, *failures))  # type: ignore[arg-type]
    if refusal is None:
        assert await probes.require(model, "key") == ()
    else:
        with pytest.raises(refusal):
            await probes.require(model, "key")
