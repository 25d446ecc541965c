"""What a pipeline found in a clip."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from understudy.schemas.inference.prediction import AudioFacts, Event, Window


@dataclass(frozen=True)
class PhaseTimes:
    """Milliseconds a stage: reading, decoding and resampling; cutting and log-mel; backbone and model."""

    decode: float
    features: float
    inference: float


@dataclass(frozen=True)
class Analysis:
    """Scores of a clip and of its windows.

    `totals` float32 [labels]: the aggregated scores. `window_scores` float32 [windows, labels], `starts` and `ends`
    float64 [windows] in seconds. Of a long clip `window_scores` [windows, TOP] are the best, and `window_labels` tells
    which labels they belong to.
    """

    labels: tuple[str, ...]
    totals: NDArray[np.float32]
    window_scores: NDArray[np.float32]
    window_labels: NDArray[np.int32] | None
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    events: tuple[Event, ...]
    audio: AudioFacts
    warnings: tuple[str, ...]
    timing: PhaseTimes

    @property
    def label(self) -> str:
        """The label with the highest aggregated score."""
        return self.labels[int(self.totals.argmax())]

    @property
    def score(self) -> float:
        return float(self.totals.max())

    @property
    def scores(self) -> dict[str, float]:
        """Aggregated score of every label."""
        return dict(zip(self.labels, self.totals.tolist(), strict=True))

    @property
    def abridged(self) -> bool:
        """Whether `windows` lists only the best labels of each window."""
        return self.window_labels is not None

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows in order of time, with all their scores or, of a long clip, the TOP best."""
        return tuple(self.list_windows(0, len(self.starts)))

    def list_windows(self, first: int, stop: int) -> Iterator[Window]:
        """The windows from number `first` up to `stop`, one after the other: those of hours take much memory."""
        part = slice(first, stop)
        times = zip(self.starts[part].tolist(), self.ends[part].tolist(), self.window_scores[part], strict=True)
        if self.window_labels is None:
            yield from (build_window(self.labels, row, start, end) for start, end, row in times)
            return
        for (start, end, row), order in zip(times, self.window_labels[part].tolist(), strict=True):
            listed = [self.labels[index] for index in order]
            scores = row.tolist()
            yield Window(
                start=start, end=end, label=listed[0], score=scores[0], scores=dict(zip(listed, scores, strict=True))
            )


def build_window(labels: tuple[str, ...], row: NDArray[np.float32], start: float, end: float) -> Window:
    """One window of scores float32 [labels]."""
    best = int(row.argmax())
    scores = dict(zip(labels, row.tolist(), strict=True))
    return Window(start=start, end=end, label=labels[best], score=float(row[best]), scores=scores)
