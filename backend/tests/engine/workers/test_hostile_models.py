"""A model that ends its process, never ends, or asks for all memory costs one request, and nothing else."""

import asyncio
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from tests.engine.workers.conftest import Activate, clip, workers_of
from tests.engine.workers.hostile_models import DIVIDE, EXPAND, LOOP, TRIGGER
from tests.types import ModelFactory
from understudy.container import Services
from understudy.engine.workers.remote_model import MAX_DEATHS, RemoteModel
from understudy.engine.workers.worker import Worker
from understudy.errors import CannotServe, ModelSetAside, UnderstudyError, WorkerDied
from understudy.models import HistoryEvent
from understudy.schemas.registry.model import ModelCreate
from understudy.serving.activation.broken_model_guard import BrokenModelGuard
from understudy.settings import OnBroken

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


async def test_only_the_tensors_that_attack_fail_where_requests_travel_as_one(
    services: Services, activate_hostile: Activate
) -> None:
    await activate_hostile(DIVIDE)
    assert services.live.current is not None
    model = services.live.current.model
    assert isinstance(model.engine_model, RemoteModel)
    model.engine_model.join_rows = 8
    rows = [np.full((1, 16_000), TRIGGER if number == 4 else 0.1 * number, np.float32) for number in range(9)]
    answers = await asyncio.gather(
        *(services.tensors.infer(model.identity.model_name, None, {"x": row}) for row in rows), return_exceptions=True
    )
    refused = answers.pop(4)
    assert isinstance(refused, WorkerDied)
    assert "SIGFPE" in refused.detail
    peaks = [float(row[0, 0]) for row in rows if row[0, 0] != TRIGGER]
    for peak, answer in zip(peaks, answers, strict=True):
        assert not isinstance(answer, BaseException)
        np.testing.assert_allclose(
            answer.outputs["y"], [[1 / (1 + np.exp(2 * peak)), 1 / (1 + np.exp(-2 * peak))]], rtol=1e-4
        )


async def test_step_that_takes_too_long_is_stopped_and_its_process_goes_on(
    services: Services, activate_hostile: Activate
) -> None:
    await activate_hostile(LOOP)
    before = {worker.pid for worker in services.engine.describe_workers()}
    with pytest.raises(WorkerDied, match="longer than"):
        await predict(services, TRIGGER)
    assert await predict(services, 0.5) == "loud"
    assert {worker.pid for worker in services.engine.describe_workers()} == before


async def test_end_of_the_fork_server_condemns_no_model(services: Services, activate_hostile: Activate) -> None:
    """An administrator or a lack of memory ends it, and its workers with it."""
    await activate_hostile(LOOP)
    model = services.live.current
    assert model is not None
    assert isinstance(model.model.engine_model, RemoteModel)
    answer = asyncio.create_task(predict(services, TRIGGER))
    async with asyncio.timeout(30):
        while not any(
            step and not step.decoding for step in (each.handle.page.read() for each in workers_of(services))
        ):
            await asyncio.sleep(0.005)
    [pid] = {_read_parent(each.handle.pid) for each in workers_of(services)}
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(WorkerDied, match="the process that forked it ended"):
        await answer
    assert len(model.model.engine_model._deaths) == 0
    assert await predict(services, 0.5) == "loud"
    assert not Path(f"/proc/{pid}").exists()


def _runs_the_model(worker: Worker) -> bool:
    step = worker.handle.page.read()
    return step is not None and not step.decoding


def _read_parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


async def test_model_that_ends_workers_again_and_again_is_set_aside(
    services: Services, activate_hostile: Activate
) -> None:
    await break_live_model(services, activate_hostile)
    with pytest.raises(ModelSetAside, match="SIGFPE"):
        await predict(services, 0.5)
    await services.reconciler.read_desired()
    with pytest.raises(ModelSetAside):
        services.status_reporter.require_ready()
    await services.broken_model_guard.look()
    await services.broken_model_guard.look()
    history = await services.registry.list_history(event=HistoryEvent.REFUSED)
    assert ["SIGFPE" in (entry.detail or "") for entry in history.entries] == [True]


async def test_policy_returns_to_the_model_before_it(
    services: Services, activate_hostile: Activate, make_model: ModelFactory
) -> None:
    make_model(services.settings.models_dir / "safe.onnx")
    safe = await services.registry.register(ModelCreate(model_name="safe", file_path="models/safe.onnx"), "test")
    await services.activation.activate(safe.model_id, "test")
    await break_live_model(services, activate_hostile)
    settings = services.settings.model_copy(update={"on_broken": OnBroken.ROLLBACK})
    guard = BrokenModelGuard(settings, services.database, services.live, services.engine, services.operations)
    await guard.look()
    async with asyncio.timeout(30):
        while services.live.current is None or services.live.current.model.identity.model_id != safe.model_id:
            await asyncio.sleep(0.05)
    await services.reconciler.read_desired()
    services.status_reporter.require_ready()
    assert (await services.predictor.predict(clip(0.5))).model.model_id == safe.model_id


async def break_live_model(services: Services, activate_hostile: Activate) -> None:
    await activate_hostile(DIVIDE)
    for _ in range(MAX_DEATHS):
        with pytest.raises(WorkerDied):
            await predict(services, TRIGGER)
