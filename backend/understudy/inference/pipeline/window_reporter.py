"""Report the windows of a long clip while the rest of it is scored."""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from understudy.inference.pipeline.analysis import build_abridged_window
from understudy.inference.pipeline.score_accumulator import TOP
from understudy.inference.pipeline.verdict import Verdict
from understudy.schemas.inference.prediction import Window

# A clip that is scored within this time reports no windows.
INTERVAL_SECONDS = 0.25
# A message with so many windows has a few dozen kilobytes.
MAX_WINDOWS_TOGETHER = 100

OnWindows = Callable[[list[Window]], None]


class WindowReporter:
    """Hands the windows that were scored to `report` every INTERVAL_SECONDS, with the TOP best labels of each.

    The last windows are never reported: they are in the answer, which follows at once.
    """

    def __init__(self, verdict: Verdict, window_seconds: float, report: OnWindows) -> None:
        self._verdict = verdict
        self._window_seconds = window_seconds
        self._report = report
        self._pending: list[tuple[list[float], NDArray[np.float32]]] = []
        self._reported = time.monotonic()

    def add(self, starts: list[float], scores: NDArray[np.float32]) -> None:
        """Add the scores float32 [n, labels] of n windows that begin at `starts`, in seconds; NaN: not scored."""
        self._pending.append((starts, scores))
        if time.monotonic() - self._reported >= INTERVAL_SECONDS:
            self._flush()
            self._reported = time.monotonic()

    def _flush(self) -> None:
        starts = [start for starts, _ in self._pending for start in starts]
        scores = np.concatenate([scores for _, scores in self._pending])
        self._pending.clear()
        order = self._verdict.rank(scores, TOP)
        best = np.take_along_axis(scores, order, axis=1)
        windows = [
            build_abridged_window(self._verdict.labels, labels, row, start, start + self._window_seconds)
            for labels, row, start in zip(order, best, starts, strict=True)
        ]
        for first in range(0, len(windows), MAX_WINDOWS_TOGETHER):
            self._report(windows[first : first + MAX_WINDOWS_TOGETHER])
