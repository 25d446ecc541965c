"""Operators that end a process, fill its memory or take its time, on one recording only, cost that recording only."""

import asyncio

import pytest

from tests.engine.workers.conftest import clip
from tests.engine.workers.hostile_models import RATE
from tests.engine.workers.hostile_operators import PEAKS, write_many_attacks
from understudy.container import Services
from understudy.engine.engine import ScoredClip
from understudy.engine.workers.remote_model import RemoteModel
from understudy.errors import UnderstudyError
from understudy.schemas.compiler.spec import InputKind, OutputActivation, PartialSpec
from understudy.schemas.registry.model import ModelCreate

pytestmark = pytest.mark.anyio


REFUSALS = {
    "divide by zero": "division by zero",
    "modulo zero": "modulo by zero",
    "fill": "more memory than this process may use",
    "range": "more memory than this process may use",
    "tile": "exceeds the supported maximum",
    "pad": "more memory than this process may use",
    "one hot": "more memory than this process may use",
    "outer product": "more memory than this process may use",
    "growing loop": "more memory than this process may use",
    "loop": "longer than",
    "loop in a loop": "longer than",
    "long operator": "longer than",
    "index beyond the end": "out of data bounds",
}


async def test_every_attack_costs_its_own_recording(services: Services) -> None:
    write_many_attacks(services.settings.models_dir / "many.onnx")
    spec = PartialSpec(
        input=InputKind.WAVEFORM,
        sample_rate=RATE,
        window_seconds=1.0,
        labels=("quiet", "loud"),
        activation=OutputActivation.NONE,
    )
    request = ModelCreate(model_name="many", file_path="models/many.onnx", spec=spec)
    model = await services.registry.register(request, "test")
    await services.activation.activate(model.model_id, "test")
    assert services.live.current is not None
    live = services.live.current.model.engine_model
    assert isinstance(live, RemoteModel)
    for name, peak in PEAKS.items():
        model_of_its_own = await services.engine.load(live.folder, None)  # its deaths are counted from zero
        assert isinstance(model_of_its_own, RemoteModel)
        if REFUSALS[name] == "longer than":
            model_of_its_own.step_seconds = 1.0
        answers = await asyncio.gather(
            *(services.engine.score_clip(model_of_its_own, clip(each)) for each in (0.9, peak, 0.9)),
            return_exceptions=True,
        )
        refused = answers.pop(1)
        assert isinstance(refused, UnderstudyError), name
        assert REFUSALS[name] in refused.detail, name
        assert all(isinstance(answer, ScoredClip) for answer in answers), name
    assert (await services.predictor.predict(clip(0.9))).label == "loud"
