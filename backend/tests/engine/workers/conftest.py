"""Services whose models run in two worker processes."""

import io
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import soundfile

from tests.engine.workers.hostile_models import RATE, TRIGGER, write_hostile
from understudy.container import Services, open_services
from understudy.engine.workers.remote_model import RemoteModel
from understudy.engine.workers.worker import Worker
from understudy.engine.workers.worker_engine import WorkerEngine
from understudy.schemas.compiler.spec import InputKind, OutputActivation, PartialSpec
from understudy.schemas.registry.model import ModelCreate
from understudy.settings import Settings

Activate = Callable[..., Awaitable[int]]


@pytest.fixture
async def services(settings: Settings, migrated: None, shared_store: None) -> AsyncIterator[Services]:
    async with _open_with_workers(settings) as opened:
        yield opened


@pytest.fixture(scope="module")
async def shared_services(module_settings: Settings) -> AsyncIterator[Services]:
    """One team of workers for those tests of a module that harm none: they take longer to start than the tests."""
    async with _open_with_workers(module_settings) as opened:
        yield opened


def _open_with_workers(settings: Settings) -> AbstractAsyncContextManager[Services]:
    changed = settings.model_copy(update={"workers": 2, "step_seconds": 1.0, "worker_memory_bytes": 1 << 30})
    return open_services(changed, workers=True)


@pytest.fixture
def activate_hostile(services: Services) -> Activate:
    """Registers a model with the given attack and trigger, makes it live and returns its id."""

    async def activate(attack: str, trigger: float = TRIGGER) -> int:
        write_hostile(services.settings.models_dir / "hostile.onnx", attack, trigger)
        spec = PartialSpec(
            input=InputKind.WAVEFORM,
            sample_rate=RATE,
            window_seconds=1.0,
            labels=("quiet", "loud"),
            activation=OutputActivation.NONE,
        )
        name = f"hostile {uuid4()}"
        request = ModelCreate(model_name=name, file_path="models/hostile.onnx", spec=spec)
        model = await services.registry.register(request, "test")
        await services.activation.activate(model.model_id, "test")
        assert services.live.current is not None
        engine_model = services.live.current.model.engine_model
        assert isinstance(engine_model, RemoteModel)
        engine_model.step_seconds = 1.0  # the limit from the length of a window would keep the tests waiting
        return model.model_id

    return activate


def clip(peak: float, seconds: float = 1.0) -> io.BytesIO:
    """A recording of a square wave as float wav."""
    samples = np.full(round(RATE * seconds), peak, np.float32)
    samples[1::2] *= -1
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format="WAV", subtype="FLOAT")
    file.seek(0)
    return file


def workers_of(services: Services) -> list[Worker]:
    """The worker processes, with those that are still starting."""
    assert isinstance(services.engine, WorkerEngine)
    return services.engine._team.workers


def abort_where(services: Services, holds: Callable[[Worker], bool]) -> bool:
    """End a worker for which `holds`, as damaged memory does; return False where there is none."""
    for worker in workers_of(services):
        pid = worker.handle.pid
        with suppress(ProcessLookupError, FileNotFoundError):  # it has ended already
            os.kill(pid, signal.SIGSTOP)  # so that it still holds when the worker ends
            while (state := Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]) not in "TZX":
                pass
            found = state == "T" and holds(worker)
            if found:
                os.kill(pid, signal.SIGABRT)
            os.kill(pid, signal.SIGCONT)
            if found:
                return True
    return False
