"""A model that unusual recordings break is refused before it goes live, and the one before it goes on serving."""

import pytest

from tests.engine.workers.conftest import Activate, clip
from tests.engine.workers.hostile_models import DIVIDE, EXPAND, LEVEL, LOOP
from tests.types import ModelFactory
from understudy.container import Services
from understudy.errors import CannotServe, CompileFailed, ProbeFailed
from understudy.models import HistoryEvent
from understudy.schemas.registry.model import ModelCreate
from understudy.serving.activation import activation_probes

pytestmark = pytest.mark.anyio

SILENCE, OFFSET = 0.0, 0.5  # peaks of probes


@pytest.fixture
async def live(services: Services, make_model: ModelFactory) -> int:
    """The id of a harmless model, which is live."""
    make_model(services.settings.models_dir / "safe.onnx")
    model = await services.registry.register(ModelCreate(model_name="safe", file_path="models/safe.onnx"), "test")
    await services.activation.activate(model.model_id, "test")
    return model.model_id


REFUSED = [
    (DIVIDE, SILENCE, CompileFailed, "SIGFPE"),
    (DIVIDE, OFFSET, ProbeFailed, "ends worker processes on a constant offset.*SIGFPE"),
    (EXPAND, OFFSET, ProbeFailed, "takes all memory on a constant offset"),
    (LOOP.replace("trips", "some"), OFFSET, ProbeFailed, r"takes \d+\.\d\d s for a constant offset"),
]


async def test_models_are_refused_and_the_live_one_stays(
    services: Services, live: int, activate_hostile: Activate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activation_probes, "_SLOW_SECONDS", 0.0)
    monkeypatch.setattr(activation_probes, "_SLOW_RATIO", 5.0)
    for attack, trigger, error, words in REFUSED:
        with pytest.raises(error, match=words) as refused:
            await activate_hostile(attack, trigger)
        assert (await services.predictor.predict(clip(0.5))).model.model_id == live
        [entry, *_] = (await services.registry.list_history(event=HistoryEvent.REFUSED)).entries
        assert (entry.code, entry.detail) == (refused.value.code, refused.value.detail)


async def test_model_that_does_not_answer_silence_goes_live_with_a_warning(
    services: Services, activate_hostile: Activate
) -> None:
    model_id = await activate_hostile(LEVEL)
    assert services.live.current is not None
    [warning, _] = services.live.current.warnings
    assert warning.startswith("The model does not answer digital silence: The model's output holds values")
    assert (await services.predictor.predict(clip(0.5))).model.model_id == model_id
    with pytest.raises(CannotServe, match="infinite or not numbers"):
        await services.predictor.predict(clip(0.0))
