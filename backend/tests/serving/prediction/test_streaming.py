"""A stream goes on when the processes that keep its state end, also while the live model is swapped."""

from typing import Any

import numpy as np
import pytest

from tests.serving.conftest import Register
from understudy.container import Services
from understudy.engine.engine import Engine, EngineModel, EngineStream, StreamLost
from understudy.errors import WorkerDied
from understudy.schemas.inference.sample_encoding import Encoding
from understudy.schemas.inference.stream import StreamedWindow, StreamStart, StreamSwap, StreamWindow
from understudy.serving.prediction.streaming import LiveStream, Streaming

pytestmark = pytest.mark.anyio

RATE = 16_000
START = StreamStart(sample_rate=RATE, encoding=Encoding.FLOAT32)
SECOND = (np.sin(np.arange(RATE) / 7) / 4).astype(np.float32).tobytes()


class LostStream:
    """A stream whose process ends before it has scored anything."""

    def __init__(self, stream: EngineStream) -> None:
        self.window_seconds = stream.window_seconds
        self.hop_seconds = stream.hop_seconds
        self.close = stream.close

    async def push(self, _: bytes) -> list[StreamedWindow]:
        raise StreamLost

    async def finish(self) -> list[StreamedWindow]:
        raise StreamLost


class DyingEngine:
    """An engine whose next `deaths` streams are lost."""

    def __init__(self, engine: Engine) -> None:
        self.deaths = 0
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    async def open_stream(self, model: EngineModel, start: StreamStart) -> EngineStream:
        stream = await self._engine.open_stream(model, start)
        if self.deaths == 0:
            return stream
        self.deaths -= 1
        return LostStream(stream)


@pytest.fixture
def engine(services: Services) -> DyingEngine:
    return DyingEngine(services.engine)


@pytest.fixture
async def models(services: Services, register: Register) -> list[int]:
    """The ids of two models; the first is live."""
    ids = [await register("first"), await register("second", winner=1)]
    await services.activation.activate(ids[0], "test")
    return ids


async def _open_and_swap(services: Services, engine: DyingEngine, successor: int, *, deaths: int) -> LiveStream:
    """Return a stream that has scored a second of sound, and whose next streams are lost after the swap."""
    stream = await Streaming(services.predictor, engine).open(START, None)
    await stream.push(SECOND)
    await services.activation.activate(successor, "test")
    engine.deaths = deaths
    return stream


async def test_a_swap_whose_new_process_ends_goes_on_in_another_one(
    services: Services, engine: DyingEngine, models: list[int]
) -> None:
    stream = await _open_and_swap(services, engine, models[1], deaths=2)
    swap, *windows = await stream.push(SECOND)
    assert isinstance(swap, StreamSwap)
    assert swap.model.model_id == models[1]
    starts = [window.start for window in (*windows, *await stream.finish()) if isinstance(window, StreamWindow)]
    assert starts == pytest.approx([swap.at + 0.48 * index for index in range(len(starts))], abs=0.01)
    assert starts
    stream.close()


async def test_a_swap_on_which_every_process_ends_is_a_typed_error(
    services: Services, engine: DyingEngine, models: list[int]
) -> None:
    stream = await _open_and_swap(services, engine, models[1], deaths=100)
    with pytest.raises(WorkerDied, match="worker processes ended on this stream"):
        await stream.push(SECOND)
    stream.close()
