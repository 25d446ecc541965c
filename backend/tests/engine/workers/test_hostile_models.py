"""A model that ends its process, never ends, or asks for all memory costs one request, and nothing else."""

import asyncio

import pytest

from tests.engine.workers.conftest import Activate, clip
from tests.engine.workers.hostile_models import DIVIDE, EXPAND, LOOP, TRIGGER
from understudy.container import Services
from understudy.engine.workers.remote_model import MAX_DEATHS
from understudy.errors import CannotServe, ModelSetAside, UnderstudyError, WorkerDied

pytestmark = pytest.mark.anyio


async def predict(services: Services, peak: float, seconds: float = 1.0) -> str:
    return (await services.predictor.predict(clip(peak, seconds))).label


@pytest.mark.parametrize(
    ("attack", "error", "words"),
    [(DIVIDE, WorkerDied, "SIGFPE"), (LOOP, WorkerDied, "longer than"), (EXPAND, CannotServe, "memory")],
    ids=["divide", "loop", "expand"],
)
async def test_only_the_request_that_attacks_fails(
    services: Services, activate_hostile: Activate, attack: str, error: type[UnderstudyError], words: str
) -> None:
    await activate_hostile(attack)
    peaks = [0.5] * 4 + [TRIGGER] + [0.5] * 4
    answers = await asyncio.gather(*(predict(services, peak) for peak in peaks), return_exceptions=True)
    refused = answers.pop(4)
    assert isinstance(refused, error)
    assert words in refused.detail
    assert answers == ["loud"] * 8
    assert await predict(services, 0.5) == "loud"


async def test_model_that_ends_workers_again_and_again_is_set_aside(
    services: Services, activate_hostile: Activate
) -> None:
    await activate_hostile(DIVIDE)
    for _ in range(MAX_DEATHS):
        with pytest.raises(WorkerDied):
            await predict(services, TRIGGER)
    with pytest.raises(ModelSetAside, match="SIGFPE"):
        await predict(services, 0.5)
