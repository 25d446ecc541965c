"""Score a stream of samples window by window."""

from collections.abc import Callable
from math import inf

import numpy as np
from numpy.typing import NDArray

from understudy.errors import NotForAudio
from understudy.inference.clip_input.framing import Framing
from understudy.inference.pipeline.analysis import build_window
from understudy.inference.pipeline.verdict import Verdict
from understudy.schemas.front_end.sound import Sound
from understudy.schemas.inference.prediction import Window

Array = NDArray[np.float32]


class StreamScorer:
    """Scores each window of a stream as soon as it is complete, exactly as `Pipeline.analyze` scores it in a file.

    `rate` is the sample rate in Hz that `push` expects.
    """

    def __init__(self, framing: Framing, sound: Sound, verdict: Verdict, score: Callable[[list[Array]], Array]) -> None:
        """`score` returns scores float32 [n, labels] for n items.

        Raises NotForAudio for a model that takes the whole clip at once, at the recording's own rate or after steps
        that need its end.
        """
        if framing.window_seconds is None:
            raise NotForAudio(
                "The model takes a whole clip at once, so it cannot score a stream, which has no end.",
                remedy="Add `window_seconds` to the model's spec, or send recordings to /api/v1/predict.",
            )
        if framing.rate is None or not sound.streams:
            raise NotForAudio(
                "The model's spec prepares the whole recording before features are computed (resampler, length, trim, "
                "gain or the recording's own sample rate), so it cannot score a stream.",
                remedy="Send recordings to /api/v1/predict, or leave those steps out of the spec.",
            )
        self.rate: int = framing.rate
        self.window_seconds: float = framing.window_seconds
        self.hop_seconds = framing.hop_seconds
        self.sound = sound
        self._cutter = framing.make_cutter(inf, framing.rate)
        self._verdict = verdict
        self._score = score

    def push(self, samples: Array) -> list[Window]:
        """Return the windows that mono `samples` float32 [n] complete; raises CannotServe when the model fails."""
        return self._build_windows(self._cutter.push(samples))

    def finish(self) -> list[Window]:
        """Return the last window, filled up with zeros; an empty list when every sample lies in a window already."""
        total = self._cutter.total / self.rate
        return [
            window.model_copy(update={"end": min(window.end, total)})
            for window in self._build_windows(self._cutter.finish())
        ]

    def _build_windows(self, items: list[tuple[float, Array]]) -> list[Window]:
        if not items:
            return []
        rows = self._score([item for _, item in items])
        return [
            build_window(self._verdict, row, start, start + self.window_seconds)
            for (start, _), row in zip(items, rows, strict=True)
        ]
