"""Holds a prediction and writes it as JSON."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import TypeAdapter

from understudy.inference.pipeline.analysis import Analysis
from understudy.schemas.inference.prediction import Prediction, Window

# Scores that are written at once. They take about a millisecond, during which the event loop does nothing else.
AT_ONCE = 20_000
_WINDOWS = TypeAdapter(list[Window])
_NO_WINDOWS = '"windows":[]'


@dataclass(frozen=True, slots=True)
class PredictionResult:
    """A prediction. The windows of a long clip are not in `prediction` but still in `rest`.

    The windows of ten hours take 200 MB as objects.
    """

    prediction: Prediction
    rest: Analysis | None

    async def complete(self) -> Prediction:
        """Return the prediction with all its windows."""
        if self.rest is None:
            return self.prediction
        windows = await asyncio.to_thread(lambda rest: rest.windows, self.rest)
        return self.prediction.model_copy(update={"windows": windows})

    def iter_json(self) -> Iterator[str]:
        """Yield the JSON of the complete prediction in pieces of at most AT_ONCE scores."""
        document = self.prediction.model_dump_json()
        if self.rest is None:
            yield document
            return
        before, after = document.split(_NO_WINDOWS)
        yield f'{before}"windows":['
        count, listed = self.rest.window_scores.shape
        step = max(1, AT_ONCE // listed)
        for first in range(0, count, step):
            windows = list(self.rest.list_windows(first, first + step))
            yield ("," if first else "") + _WINDOWS.dump_json(windows)[1:-1].decode()
        yield f"]{after}"
