"""The parts of a prediction are read at the reader's speed, and none is lost or doubled."""

import asyncio
from typing import cast

import pytest

from understudy.errors import AudioUnusable
from understudy.inference.pipeline.window_reporter import OnWindows
from understudy.schemas.inference.prediction import Window
from understudy.serving.prediction.prediction_in_parts import PredictionInParts
from understudy.serving.prediction.prediction_result import PredictionResult

pytestmark = pytest.mark.anyio

ANSWER = cast("PredictionResult", object())


def window(start: int) -> Window:
    return Window(start=start, end=start + 1, label="a", score=0.5, scores={"a": 0.5})


async def test_windows_that_came_while_nobody_read_are_read_together() -> None:
    go_on = asyncio.Event()

    async def predict(on_windows: OnWindows) -> PredictionResult:
        on_windows([window(0)])
        on_windows([window(1), window(2)])
        await go_on.wait()
        return ANSWER

    prediction = PredictionInParts(predict)
    parts = prediction.iter_parts()
    assert await anext(parts) == [window(0), window(1), window(2)]
    go_on.set()
    assert await anext(parts) is ANSWER
    with pytest.raises(StopAsyncIteration):
        await anext(parts)
    await prediction.close()


async def test_the_error_of_the_prediction_is_raised_behind_its_windows() -> None:
    go_on = asyncio.Event()

    async def predict(on_windows: OnWindows) -> PredictionResult:
        on_windows([window(0)])
        await go_on.wait()
        raise AudioUnusable("damaged")

    prediction = PredictionInParts(predict)
    parts = prediction.iter_parts()
    assert await anext(parts) == [window(0)]
    go_on.set()
    with pytest.raises(AudioUnusable):
        await anext(parts)
    await prediction.close()


async def test_closing_ends_what_is_still_computed() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def predict(_: OnWindows) -> PredictionResult:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return ANSWER

    prediction = PredictionInParts(predict)
    await begun.wait()
    await prediction.close()
    assert ended.is_set()
