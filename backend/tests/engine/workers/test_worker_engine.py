"""Worker processes answer what this process answers, and their death costs what they were computing."""

import asyncio
import io
import os
import random
import re
import shutil
import signal
from contextlib import suppress
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from tests.engine.workers.conftest import Activate, abort_where, clip
from tests.engine.workers.hostile_models import LOOP, TRIGGER
from tests.sample_files import tone
from tests.types import ModelFactory
from understudy.container import Services, open_services
from understudy.engine.engine import Engine
from understudy.engine.workers.remote_model import MAX_DEATHS, RemoteModel
from understudy.engine.workers.worker import Worker
from understudy.errors import AudioUnusable, NotAudio, RequestInvalid, Unavailable, WorkerDied
from understudy.schemas.inference.prediction import Prediction, Window
from understudy.schemas.inference.sample_encoding import Encoding
from understudy.schemas.inference.stream import StreamStart, StreamWindow
from understudy.schemas.registry.model import ModelCreate
from understudy.schemas.server.workers import WorkerState

pytestmark = pytest.mark.anyio


@pytest.fixture
async def live(services: Services, make_model: ModelFactory) -> int:
    return await _activate(services, make_model)


@pytest.fixture(scope="module")
async def shared_live(shared_services: Services, make_model: ModelFactory) -> int:
    return await _activate(shared_services, make_model)


async def _activate(services: Services, make_model: ModelFactory) -> int:
    make_model(services.settings.models_dir / "m.onnx", winner=1, sensitive=True)
    model = await services.registry.register(ModelCreate(model_name="m", file_path="models/m.onnx"), "test")
    await services.activation.activate(model.model_id, "test")
    return model.model_id


def engine_of(services: Services) -> Engine:
    return services.engine


def kill(services: Services, count: int = 10) -> int:
    """End workers at once and return how many; one that has ended already may still be listed for a moment."""
    pids = [worker.pid for worker in engine_of(services).describe_workers() if worker.pid is not None]
    ended = 0
    for pid in pids[:count]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            ended += 1
    return ended


def strip(prediction: Prediction) -> Prediction:
    return prediction.model_copy(update={"timing_ms": None, "generation": None})


async def test_answers_are_those_of_the_servers_own_process(shared_services: Services, shared_live: int) -> None:
    async with open_services(shared_services.settings) as local:
        for seconds, rate in ((0.3, 8_000), (1.0, 16_000), (7.3, 44_100), (130.0, 16_000)):
            content = tone(seconds, rate)
            ours = await shared_services.predictor.predict(io.BytesIO(content), shared_live)
            assert strip(ours) == strip(await local.predictor.predict(io.BytesIO(content), shared_live))


async def test_windows_of_a_long_recording_come_before_its_answer(
    services: Services, activate_hostile: Activate
) -> None:
    """The model is slow, so that a fast machine takes longer than the pause between two reports, too."""
    await activate_hostile(LOOP.replace("trips, one", "some, one"))
    model, generation = await services.predictor.choose(None)
    reports: list[list[Window]] = []
    result = await services.predictor.predict_with(clip(TRIGGER, 400.0), model, generation, on_windows=reports.append)
    windows = (await result.complete()).windows
    assert 0 < len(reports[0]) < len(windows)
    found = list(chain.from_iterable(reports))
    assert found == list(windows[: len(found)])


@pytest.mark.parametrize(
    ("content", "error"),
    [(b"", AudioUnusable), (b"hello, this is text" * 9, NotAudio), (tone(1.0)[:40], AudioUnusable)],
)
async def test_errors_are_those_of_the_servers_own_process(
    shared_services: Services, shared_live: int, content: bytes, error: type[Exception]
) -> None:
    with pytest.raises(error) as refusal:
        await shared_services.predictor.predict(io.BytesIO(content))
    async with open_services(shared_services.settings) as local:
        with pytest.raises(error) as expected:
            await local.predictor.predict(io.BytesIO(content), shared_live)
    assert refusal.value.args == expected.value.args


async def test_tensors_go_to_workers_and_come_back(shared_services: Services, shared_live: int) -> None:
    patches = np.random.default_rng(1).standard_normal((40, 96, 64)).astype(np.float32)
    result = await shared_services.tensors.infer("m", None, {"patch": patches})
    async with open_services(shared_services.settings) as local:
        expected = await local.tensors.infer("m", None, {"patch": patches})
    np.testing.assert_allclose(result.outputs["scores"], expected.outputs["scores"], rtol=1e-5)
    with pytest.raises(RequestInvalid, match="takes the inputs"):
        await shared_services.tensors.infer("m", None, {"other": patches})


async def test_stream_goes_on_when_the_process_that_kept_its_state_dies(services: Services, live: int) -> None:
    start = StreamStart(sample_rate=16_000, encoding=Encoding.FLOAT32)
    samples = np.random.default_rng(2).standard_normal(16_000 * 4).astype(np.float32) * 0.1
    stream = await services.streaming.open(start, None)
    windows = []
    for number, part in enumerate(np.split(samples, 40)):
        if number in (13, 27):
            kill(services)
        windows += await stream.push(part.tobytes())
    windows += await stream.finish()
    stream.close()
    wholes = await services.predictor.predict(_wav(samples))
    got = [(window.start, (window.scores or {})["b"]) for window in windows if isinstance(window, StreamWindow)]
    assert [start for start, _ in got] == pytest.approx([window.start for window in wholes.windows])
    assert [score for _, score in got] == pytest.approx(
        [(window.scores or {})["b"] for window in wholes.windows], abs=1e-4
    )


async def test_killed_workers_fail_only_what_they_computed(services: Services, live: int) -> None:
    expected = strip(await services.predictor.predict(io.BytesIO(tone(3.0))))
    chance = random.Random(3)  # noqa: S311
    failed = answered = killed = 0
    stop = asyncio.Event()

    async def ask() -> None:
        nonlocal failed, answered
        while not stop.is_set():
            try:
                answer = await services.predictor.predict(io.BytesIO(tone(3.0)))
            except WorkerDied:
                failed += 1
            else:
                assert strip(answer) == expected
                answered += 1

    asking = [asyncio.create_task(ask()) for _ in range(6)]
    while killed < 12:
        await asyncio.sleep(chance.uniform(0.02, 0.2))
        killed += kill(services, 1)
    stop.set()
    await asyncio.gather(*asking)
    assert answered > 0
    assert failed <= killed


async def test_work_that_no_worker_had_begun_is_answered_by_the_next(services: Services, live: int) -> None:
    while kill(services) == 0:
        await asyncio.sleep(0.01)
    answers = await asyncio.gather(*(services.predictor.predict(io.BytesIO(tone(1.0))) for _ in range(20)))
    assert {answer.label for answer in answers} == {"b"}


def decodes(worker: Worker) -> bool:
    step = worker.handle.page.read()
    return step is not None and step.decoding


async def test_recording_that_ends_workers_while_it_is_decoded_condemns_no_model(services: Services, live: int) -> None:
    long, short = tone(900.0), tone(1.0)
    for _ in range(MAX_DEATHS + 1):
        answer = asyncio.create_task(services.predictor.predict(io.BytesIO(long)))
        while not answer.done():  # where helpers ran the model meanwhile, it is tried once more
            abort_where(services, decodes)
            await asyncio.sleep(0.001)
        with pytest.raises(WorkerDied, match=r"while it decoded this recording: signal 6 \(SIGABRT\)"):
            await answer
    assert (await services.predictor.predict(io.BytesIO(short))).label == "b"


async def test_model_that_no_new_worker_can_load_is_refused_at_once_until_it_is_activated(
    services: Services, live: int
) -> None:
    current = services.live.current
    assert current is not None
    assert isinstance(current.model.engine_model, RemoteModel)
    shutil.rmtree(current.model.engine_model.folder)
    before = {worker.pid for worker in engine_of(services).describe_workers()}
    async with asyncio.timeout(30):
        while kill(services) == 0:
            await asyncio.sleep(0.01)
        while True:
            workers = engine_of(services).describe_workers()
            fresh = before.isdisjoint(worker.pid for worker in workers)
            if fresh and [worker.state for worker in workers] == [WorkerState.READY] * 2:
                break
            await asyncio.sleep(0.02)
    await services.reconciler.read_desired()
    with pytest.raises(Unavailable, match="could load the model"):
        services.status_reporter.require_ready()
    async with asyncio.timeout(5):
        with pytest.raises(Unavailable, match="could load the model"):
            await services.predictor.predict(io.BytesIO(tone(1.0)))
    await services.activation.activate(live, "test")
    services.status_reporter.require_ready()
    assert (await services.predictor.predict(io.BytesIO(tone(1.0)))).label == "b"


async def test_workers_are_walled_in_and_said_to_be_ready(services: Services, live: int) -> None:
    async with asyncio.timeout(30):
        while [worker.state for worker in engine_of(services).describe_workers()] != [WorkerState.READY] * 2:
            await asyncio.sleep(0.02)
    workers = engine_of(services).describe_workers()
    assert {"memory", "filesystem", "network", "programs"} <= set(workers[0].walls)
    for worker in workers:  # the fork server's filter, and the worker's own, which forbids processes
        assert _count_filters(str(worker.pid)) == _count_filters("self") + 2


def _count_filters(process: str) -> int:
    found = re.search(r"^Seccomp_filters:\t(\d+)$", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


def _wav(samples: NDArray[np.float32]) -> io.BytesIO:
    file = io.BytesIO()
    soundfile.write(file, samples, 16_000, format="WAV", subtype="FLOAT")
    file.seek(0)
    return file
