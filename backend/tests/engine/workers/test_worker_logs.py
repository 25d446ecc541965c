"""Checks the log lines of worker processes, and that an ended worker is not listed."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from understudy.container import open_services
from understudy.engine.wire.content import Content
from understudy.engine.wire.messages import Infer
from understudy.engine.workers.worker import Worker
from understudy.engine.workers.worker_engine import WorkerEngine
from understudy.errors import UnderstudyError
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

_NO_MODEL = 999


@pytest.fixture(scope="module")
def log_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / "workers.log"


@pytest.fixture(scope="module")
async def engine(module_settings: Settings, log_path: Path) -> AsyncIterator[WorkerEngine]:
    """An engine whose worker processes have a file as their standard error."""
    settings = module_settings.model_copy(update={"workers": 2, "log_format": "json"})
    kept = os.dup(2)
    with log_path.open("wb") as log:
        os.dup2(log.fileno(), 2)
    try:
        async with open_services(settings, workers=True) as services:
            os.dup2(kept, 2)
            assert isinstance(services.engine, WorkerEngine)
            yield services.engine
    finally:
        os.dup2(kept, 2)
        os.close(kept)


async def _take_worker(engine: WorkerEngine) -> Worker:
    return (await engine._team.wait_for_workers())[0]


async def test_an_unexpected_error_of_a_worker_is_one_line_of_the_form_that_is_set(
    engine: WorkerEngine, log_path: Path
) -> None:
    worker = await _take_worker(engine)
    request = Infer(request=1, model=_NO_MODEL, tensors=(), alone=False)
    with pytest.raises(UnderstudyError, match="unexpected error: KeyError"):
        await worker.request(request, 1, Content(), seconds=30)
    [line] = log_path.read_text().splitlines()
    entry = json.loads(line)
    assert (entry["event"], entry["level"]) == ("a worker met an unexpected error", "error")
    assert entry["exception"].endswith(f"KeyError: {_NO_MODEL}")


async def test_a_worker_that_has_ended_is_not_said_to_be_ready(engine: WorkerEngine) -> None:
    worker = await _take_worker(engine)
    os.kill(worker.handle.pid, signal.SIGKILL)
    async with asyncio.timeout(30):
        while not worker.gone:
            await asyncio.sleep(0)
    assert worker.handle.pid not in [each.pid for each in engine.describe_workers()]
