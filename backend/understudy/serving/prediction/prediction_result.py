"""An answer on its way out."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import TypeAdapter

from understudy.inference.pipeline.analysis import Analysis
from understudy.schemas.inference.prediction import Prediction, Window

# Scores that are written at once: about a millisecond, in which nothing else is.
AT_ONCE = 20_000
_WINDOWS = TypeAdapter(list[Window])
_NO_WINDOWS = '"windows":[]'


@dataclass(frozen=True, slots=True)
class PredictionResult:
    """`prediction` is complete, except that the windows of a long clip are still in `rest`: written out, those of ten
    hours take 200 MB.
    """

    prediction: Prediction
    rest: Analysis | None

    async def whole(self) -> Prediction:
        """The prediction with all its windows."""
        if self.rest is None:
            return self.prediction
        windows = await asyncio.to_thread(lambda rest: rest.windows, self.rest)
        return self.prediction.model_copy(update={"windows": windows})

    def json(self) -> Iterator[str]:
        """The JSON of `whole()`, a slice of a long clip's windows at a time."""
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
