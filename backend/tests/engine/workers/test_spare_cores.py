"""A lone long recording uses the cores of idle workers; its answer, errors and blame are those of one thread."""

import asyncio
from collections.abc import Callable

import pytest

from tests.engine.workers.conftest import Activate, abort_where, clip, workers_of
from tests.engine.workers.hostile_models import DIVIDE, LOOP, TRIGGER
from understudy.container import Services, open_services
from understudy.engine.workers.remote_model import RemoteModel
from understudy.engine.workers.worker import Worker
from understudy.errors import WorkerDied
from understudy.schemas.inference.prediction import Prediction

pytestmark = pytest.mark.anyio

WAIT = 30.0
# Each run on the trigger takes some dozen milliseconds.
SLOW = LOOP.replace("trips, one", "some, one")


async def get_idle_workers(services: Services) -> list[Worker]:
    """Return the two workers as soon as both wait for requests."""
    await wait_until(lambda: [(each.ready, each.running) for each in workers_of(services)] == [(True, 0)] * 2)
    return workers_of(services)


async def wait_until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT):
        while not holds():
            await asyncio.sleep(0.001)


async def predict(services: Services, seconds: float) -> Prediction:
    answer = await services.predictor.predict(clip(TRIGGER, seconds))
    return answer.model_copy(update={"timing_ms": None, "generation": None})


async def test_only_a_lone_request_may_use_the_other_core(services: Services, activate_hostile: Activate) -> None:
    await activate_hostile(SLOW)
    both = await get_idle_workers(services)
    first = asyncio.create_task(predict(services, 400.0))
    await wait_until(lambda: sorted(each.running for each in both) == [0, 1])
    [busy] = [each for each in both if each.running]
    assert busy.handle.page.spare_cores == 1
    await wait_until(lambda: busy.handle.page.runs_beside == 1)
    second = asyncio.create_task(predict(services, 400.0))
    await wait_until(lambda: [each.running for each in both] == [1, 1])
    assert [each.handle.page.spare_cores for each in both] == [0, 0]
    await wait_until(lambda: busy.handle.page.runs_beside == 0)
    first.cancel()
    await wait_until(lambda: [each.handle.page.spare_cores for each in both if each is not busy] == [1])
    second.cancel()
    await asyncio.gather(first, second, return_exceptions=True)


async def test_recording_whose_worker_ends_beside_a_helper_is_answered_by_another(
    services: Services, activate_hostile: Activate
) -> None:
    model = await activate_hostile(SLOW)
    await get_idle_workers(services)
    answer = asyncio.create_task(predict(services, 70.0))
    async with asyncio.timeout(WAIT):
        while not abort_where(services, lambda worker: worker.handle.page.runs_beside > 0):
            await asyncio.sleep(0.001)
    async with open_services(services.settings) as local:
        result = await local.predictor.predict(clip(TRIGGER, 70.0), model)
    assert await answer == result.model_copy(update={"timing_ms": None, "generation": None})


@pytest.mark.parametrize(("attack", "words"), [(DIVIDE, "SIGFPE"), (LOOP, "longer than")], ids=["divide", "loop"])
async def test_a_recording_that_ends_workers_counts_once(
    services: Services, activate_hostile: Activate, attack: str, words: str
) -> None:
    await activate_hostile(attack)
    assert services.live.current is not None
    model = services.live.current.model.engine_model
    assert isinstance(model, RemoteModel)
    model.step_seconds = 0.2
    await get_idle_workers(services)
    with pytest.raises(WorkerDied, match=words):
        await predict(services, 40.0)
    assert len(model._deaths) == 1
    assert (await services.predictor.predict(clip(0.5))).label == "loud"
