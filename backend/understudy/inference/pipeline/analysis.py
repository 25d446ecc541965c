"""The result of a pipeline on one clip."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from understudy.inference.pipeline.verdict import Verdict
from understudy.schemas.inference.finding import Finding
from understudy.schemas.inference.prediction import AudioFacts, Event, Window


@dataclass(frozen=True)
class PhaseTimes:
    """Milliseconds spent in each phase.

    `decode`: reading, decoding and resampling. `features`: cutting windows and computing log-mel frames. `inference`:
    the backbone and the model, the sum of all runs also where several ran at once.
    """

    decode: float
    features: float
    inference: float


@dataclass(frozen=True)
class Analysis:
    """Scores of a clip and of its windows.

    `totals` float32 [labels] are the clip's aggregated scores. `window_scores` are float32 [windows, labels]; `starts`
    and `ends` are float64 [windows] in seconds. For a long clip `window_scores` float32 [windows, TOP] hold only the
    best scores of each window, the verdict's first and then in descending order, and `window_labels` int32
    [windows, TOP] hold the positions of their labels in `labels`; otherwise `window_labels` is None. `verdict` chooses
    the label of a row of scores. A window that could not be scored has NaN for all its scores. The sentence of each of
    the `findings` is one of the `warnings`.
    """

    verdict: Verdict
    totals: NDArray[np.float32]
    window_scores: NDArray[np.float32]
    window_labels: NDArray[np.int32] | None
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    events: tuple[Event, ...]
    audio: AudioFacts
    warnings: tuple[str, ...]
    findings: tuple[Finding, ...]
    timing: PhaseTimes

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels in the order of the scores."""
        return self.verdict.labels

    @property
    def label(self) -> str:
        """The label that the aggregated scores mean: the highest one, or as thresholds and `otherwise` say."""
        return self.labels[self.verdict.choose(self.totals)]

    @property
    def score(self) -> float:
        """The aggregated score of `label`."""
        return float(self.totals[self.verdict.choose(self.totals)])

    @property
    def scores(self) -> dict[str, float]:
        """The aggregated score of each label."""
        return dict(zip(self.labels, self.totals.tolist(), strict=True))

    @property
    def abridged(self) -> bool:
        """True when `windows` lists only the TOP best labels of each window."""
        return self.window_labels is not None

    @property
    def windows(self) -> tuple[Window, ...]:
        """All windows in order of time, with all scores or, for a long clip, the TOP best."""
        return tuple(self.list_windows(0, len(self.starts)))

    def list_windows(self, first: int, stop: int) -> Iterator[Window]:
        """Yield the windows from index `first` to before `stop`.

        One at a time, because the windows of a recording of hours take much memory.
        """
        part = slice(first, stop)
        times = zip(self.starts[part].tolist(), self.ends[part].tolist(), self.window_scores[part], strict=True)
        if self.window_labels is None:
            yield from (build_window(self.verdict, row, start, end) for start, end, row in times)
            return
        for (start, end, row), order in zip(times, self.window_labels[part], strict=True):
            yield build_abridged_window(self.labels, order, row, start, end)


def build_abridged_window(
    labels: Sequence[str], order: NDArray[np.int32], row: NDArray[np.float32], start: float, end: float
) -> Window:
    """Return the window from `start` to `end` seconds with some of its labels, the one that it means first.

    `order` int32 [n] holds their positions in `labels`, and `row` float32 [n] their scores; NaN means that the window
    was not scored.
    """
    if np.isnan(row[0]):
        return Window(start=start, end=end, label=None, score=None, scores=None)
    listed = [labels[index] for index in order.tolist()]
    scores = row.tolist()
    return Window(start=start, end=end, label=listed[0], score=scores[0], scores=dict(zip(listed, scores, strict=True)))


def build_window(verdict: Verdict, row: NDArray[np.float32], start: float, end: float) -> Window:
    """Return the window from `start` to `end` seconds with the scores `row` float32 [labels].

    NaN means that the window was not scored.
    """
    if np.isnan(row[0]):
        return Window(start=start, end=end, label=None, score=None, scores=None)
    best = verdict.choose(row)
    scores = dict(zip(verdict.labels, row.tolist(), strict=True))
    return Window(start=start, end=end, label=verdict.labels[best], score=float(row[best]), scores=scores)
