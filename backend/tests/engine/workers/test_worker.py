"""A step that takes too long is stopped, whatever else its worker is asked and whoever still waits."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from understudy.engine.processes.step_page import StepPage
from understudy.engine.wire.channel import create_pair, receive_frames, send_frame
from understudy.engine.wire.content import Content
from understudy.engine.wire.messages import FinishStream, Load, ToWorker, to_worker
from understudy.engine.workers.fork_client import WorkerHandle
from understudy.engine.workers.worker import Worker

pytestmark = pytest.mark.anyio

SECONDS = 0.01


@dataclass
class Other:
    """The process behind a worker: its end of the channel, and its page."""

    worker: Worker
    end: socket.socket
    page: StepPage

    def ask(self, message: ToWorker, request: int, seconds: float) -> "asyncio.Task[object]":
        return asyncio.create_task(self.worker.request(message, request, Content(), seconds=seconds))

    def list_received(self) -> list[str]:
        kinds: list[str] = []
        while True:
            try:
                frames = receive_frames(self.end, bytearray(1 << 18))
            except BlockingIOError:
                return kinds
            kinds += [to_worker.validate_json(frame.head).kind for frame in frames]


@pytest.fixture
async def other() -> AsyncIterator[Other]:
    own, end = create_pair()
    end.setblocking(False)
    descriptor = StepPage.create()
    handle = WorkerHandle(0, os.open(os.devnull, os.O_RDONLY), own, StepPage(descriptor))
    handle.kill = lambda: None  # type: ignore[method-assign]
    worker = Worker(handle, lambda _: None, lambda: None)
    yield Other(worker, end, StepPage(descriptor))
    worker.close()
    handle.close()
    end.close()
    os.close(descriptor)


async def look_twice(worker: Worker) -> None:
    worker.check_progress()
    await asyncio.sleep(3 * SECONDS)
    worker.check_progress()
    await asyncio.sleep(0)


async def test_step_of_a_caller_that_went_away_is_stopped(other: Other) -> None:
    asked = other.ask(FinishStream(request=1, stream=1), 1, SECONDS)
    await asyncio.sleep(0)
    with other.page.step([1]):
        asked.cancel()
        await asyncio.wait([asked])
        await look_twice(other.worker)
    assert other.list_received() == ["finish_stream", "cancel", "stop_runs"]


async def test_load_gives_a_running_step_no_more_time(other: Other) -> None:
    load = Load(request=1, model=1, folder=Path(), backbone=None, backbone_digest=None)
    asked = [other.ask(load, 1, 120.0), other.ask(FinishStream(request=2, stream=2), 2, SECONDS)]
    await asyncio.sleep(0)
    with other.page.step([2]):
        await look_twice(other.worker)
    assert other.list_received() == ["load", "finish_stream", "stop_runs"]
    other.worker.close()
    await asyncio.gather(*asked, return_exceptions=True)


async def test_answers_that_need_no_step_give_a_running_step_no_more_time(other: Other) -> None:
    asked = other.ask(FinishStream(request=1, stream=1), 1, 5 * SECONDS)
    await asyncio.sleep(0)
    with other.page.step([1]):
        other.worker.check_progress()
        until = time.monotonic() + 10 * SECONDS
        while time.monotonic() < until:
            send_frame(other.end, b'{"kind": "stream_scored", "request": 9}')
            await asyncio.sleep(SECONDS)
            other.worker.check_progress()
        await asyncio.sleep(0)
    assert other.list_received() == ["finish_stream", "stop_runs"]
    other.worker.close()
    await asyncio.gather(asked, return_exceptions=True)
