"""A prediction whose windows are read while it is computed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from understudy.inference.pipeline.window_reporter import OnWindows
from understudy.schemas.inference.prediction import Window
from understudy.serving.prediction.prediction_result import PredictionResult

Predict = Callable[[OnWindows], Coroutine[Any, Any, PredictionResult]]


class PredictionInParts:
    """Computes a prediction in the background, at the speed of the model however slowly the parts are read.

    What nobody has read yet is kept, which is at most the windows of one recording.
    """

    def __init__(self, predict: Predict) -> None:
        """`predict` gets the function to call with windows; the caller closes the prediction, on every path."""
        self._windows: list[Window] = []
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(predict(self._add))
        self._task.add_done_callback(lambda _: self._changed.set())

    async def iter_parts(self) -> AsyncIterator[list[Window] | PredictionResult]:
        """Yield windows as they come, each once, and last the complete prediction. Raises what `predict` raises."""
        while not self._task.done():
            await self._changed.wait()
            self._changed.clear()
            windows, self._windows = self._windows, []
            if windows and not self._task.done():
                yield windows
        yield await self._task

    async def close(self) -> None:
        """Cancel what is still computed and wait for its end."""
        self._task.cancel()
        await asyncio.wait({self._task})
        if not self._task.cancelled():
            self._task.exception()  # else asyncio reports an error that nobody has read

    def _add(self, windows: list[Window]) -> None:
        self._windows += windows
        self._changed.set()
