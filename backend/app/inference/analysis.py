"""What a pipeline found in a clip."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.schemas.prediction import AudioFacts, Event, Window

# Scores that an answer lists window by window at most: about 20 MB of JSON.
MAX_LISTED = 500_000
TOP = 10


@dataclass(frozen=True)
class StageTimes:
    """Milliseconds a stage: reading, decoding and resampling; cutting and log-mel; backbone and model."""

    decode: float
    features: float
    inference: float


@dataclass(frozen=True)
class Analysis:
    """Scores of a clip and of its windows.

    `totals` float32 [labels]: the aggregated scores. `window_scores` float32 [windows, labels], `starts` and `ends`
    float64 [windows] in seconds. They stay arrays because an hour under 521 labels is 3.9 million scores.
    """

    labels: tuple[str, ...]
    totals: NDArray[np.float32]
    window_scores: NDArray[np.float32]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    events: tuple[Event, ...]
    audio: AudioFacts
    warnings: tuple[str, ...]
    timing: StageTimes

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
        return self.window_scores.size > MAX_LISTED

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows in order of time, with all their scores or, where that exceeds MAX_LISTED, the TOP best."""
        windows = []
        for start, end, row in zip(self.starts.tolist(), self.ends.tolist(), self.window_scores, strict=True):
            order = np.argsort(-row, kind="stable")[:TOP] if self.abridged else None
            windows.append(window_of(self.labels, row, start, end, order))
        return tuple(windows)


def window_of(
    labels: tuple[str, ...],
    row: NDArray[np.float32],
    start: float,
    end: float,
    order: NDArray[np.intp] | None = None,
) -> Window:
    """One window of scores float32 [labels]; `order` picks the labels that are listed, all of them without it."""
    best = int(row.argmax())
    if order is None:
        scores = dict(zip(labels, row.tolist(), strict=True))
    else:
        scores = {labels[index]: score for index, score in zip(order.tolist(), row[order].tolist(), strict=True)}
    return Window(start=start, end=end, label=labels[best], score=float(row[best]), scores=scores)
