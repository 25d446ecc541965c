"""Score a stream of samples window by window."""

from collections.abc import Callable
from math import inf
from typing import cast

import numpy as np
from numpy.typing import NDArray

from understudy.errors import NotForAudio
from understudy.inference.clip_input.framing import Framing
from understudy.inference.pipeline.analysis import build_window
from understudy.inference.pipeline.answer_warnings import build_window_not_scored
from understudy.inference.pipeline.stream_support import find_stream_obstacle
from understudy.inference.pipeline.verdict import Verdict
from understudy.schemas.front_end.sound import Sound
from understudy.schemas.inference.stream import StreamedWindow

Array = NDArray[np.float32]


class StreamScorer:
    """Scores each window of a stream as soon as it is complete, exactly as `Pipeline.analyze` scores it in a file.

    `rate` is the sample rate in Hz that `push` expects.
    """

    def __init__(
        self,
        framing: Framing,
        sound: Sound,
        verdict: Verdict,
        score: Callable[[list[Array]], Array],
        source_rate: int,
    ) -> None:
        """`score` returns scores float32 [n, labels] for n items; `source_rate` is the rate of the stream in Hz.

        Raises NotForAudio, which names the field of the spec, for a model that needs the whole recording.
        """
        self.rate: int = framing.rate or source_rate
        obstacle = find_stream_obstacle(sound, framing.window_seconds, resampled=self.rate != source_rate)
        if obstacle is not None:
            raise NotForAudio(f"{obstacle.reason} So the model cannot score a stream.", remedy=obstacle.remedy)
        self.window_seconds = cast("float", framing.window_seconds)
        self.hop_seconds = framing.hop_seconds
        self.sound = sound
        self._cutter = framing.make_cutter(inf, self.rate)
        self._verdict = verdict
        self._score = score

    def push(self, samples: Array) -> list[StreamedWindow]:
        """Return the windows that mono `samples` float32 [n] complete; raises CannotServe when the model fails."""
        return self._build_windows(self._cutter.push(samples))

    def finish(self) -> list[StreamedWindow]:
        """Return the last window as the spec's tail treats it.

        The list is empty when every sample lies in a window already, and for a stream without samples.
        """
        if not self._cutter.total:
            return []
        total = self._cutter.total / self.rate
        return self._build_windows(self._cutter.finish(), until=total)

    def _build_windows(self, items: list[tuple[float, Array]], until: float = inf) -> list[StreamedWindow]:
        if not items:
            return []
        rows = self._score([item for _, item in items])
        return [
            self._build_window(row, start, min(start + self.window_seconds, until))
            for (start, _), row in zip(items, rows, strict=True)
        ]

    def _build_window(self, row: Array, start: float, end: float) -> StreamedWindow:
        window = build_window(self._verdict, row, start, end)
        findings = () if window.scored else (build_window_not_scored(start, end),)
        return StreamedWindow(**window.model_dump(), findings=findings)
