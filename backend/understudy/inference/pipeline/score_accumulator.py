"""Collect the scores of a clip's windows in little memory, however long the clip is."""

from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from understudy.errors import AudioTooLong
from understudy.inference.pipeline.scoring import aggregate, find_events, find_scored
from understudy.inference.pipeline.verdict import Verdict
from understudy.schemas.compiler.spec import Aggregation, Spec
from understudy.schemas.inference.prediction import Event

# The largest number of scores that an answer lists with all labels of each window: about 20 MB of JSON.
MAX_LISTED = 500_000
# Labels that each window of a longer answer lists.
TOP = 10
MAX_WINDOWS = 500_000
MAX_EVENTS = 50_000

Array = NDArray[np.float32]


@dataclass(frozen=True)
class AccumulatedScores:
    """The fields of `Analysis` with the same names, and `last_end`: the end of the last window with its padding."""

    totals: Array
    window_scores: Array
    window_labels: NDArray[np.int32] | None
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    events: tuple[Event, ...]
    last_end: float


class ScoreAccumulator:
    """Takes scores batch by batch.

    Above MAX_LISTED scores it keeps only the TOP best scores of each window, and updates totals and events at once.
    """

    def __init__(self, spec: Spec, window_seconds: float | None) -> None:
        self._spec = spec
        self._verdict = Verdict(spec)
        self._window_seconds = inf if window_seconds is None else window_seconds
        self._starts: list[float] = []
        self._scores: list[Array] = []
        self._size = 0
        self._folded: list[tuple[NDArray[np.float64], Array, NDArray[np.int32]]] = []
        self._windows = 0
        self._scored = 0
        self._sum: NDArray[np.float64] | None = None
        self._best: Array | None = None
        self._events: list[Event] = []
        self._ongoing: dict[str, int] = {}

    def add(self, starts: list[float], scores: Array) -> None:
        """Add the scores float32 [n, labels] of n windows that begin at `starts`, in seconds; NaN: not scored.

        Raises AudioTooLong when a long clip has more than MAX_WINDOWS windows.
        """
        self._starts += starts
        self._scores.append(scores)
        self._size += scores.size
        if self._size > MAX_LISTED:
            self._fold()

    def finish(self, until: float) -> AccumulatedScores:
        """Return the scores of a clip that was scored up to `until` seconds; at least one window has been added.

        Windows that were not scored count neither for the totals nor for the events. Raises CannotServe when no window
        was scored.
        """
        if self._folded:
            return self._finish_folded(until)
        scores, starts = self._take_pending()
        ends = starts + self._window_seconds
        within = np.minimum(ends, until)
        return AccumulatedScores(
            totals=aggregate(scores[find_scored(scores)], self._spec.aggregation, self._spec.top_k),
            window_scores=scores,
            window_labels=None,
            starts=starts,
            ends=within,
            events=find_events(scores, starts, within, self._spec.labels, self._spec.thresholds),
            last_end=float(ends[-1]),
        )

    def _finish_folded(self, until: float) -> AccumulatedScores:
        if self._starts:
            self._fold()
        starts, scores, labels = (np.concatenate(parts) for parts in zip(*self._folded, strict=True))
        ends = starts + self._window_seconds
        find_scored(scores)
        totals = (
            aggregate(self._best, self._spec.aggregation, self._spec.top_k)
            if self._best is not None
            else np.asarray(self._sum, np.float64) / self._scored
        )
        events = [event.model_copy(update={"end": min(event.end, until)}) for event in self._events]
        return AccumulatedScores(
            totals=np.asarray(totals, np.float32),
            window_scores=scores,
            window_labels=labels,
            starts=starts,
            ends=np.minimum(ends, until),
            events=tuple(sorted(events, key=lambda event: (event.start, event.label))),
            last_end=float(ends[-1]),
        )

    def _take_pending(self) -> tuple[Array, NDArray[np.float64]]:
        scores, starts = np.concatenate(self._scores), np.array(self._starts)
        self._scores, self._starts, self._size = [], [], 0
        return scores, starts

    def _fold(self) -> None:
        """Reduce the pending scores to the TOP best of each window, and add them to the totals and the events."""
        scores, starts = self._take_pending()
        self._windows += len(scores)
        if self._windows > MAX_WINDOWS:
            raise AudioTooLong(
                f"The recording has more than {MAX_WINDOWS} windows of this model.",
                remedy="Send a shorter recording, or raise `hop_seconds` in the model's spec.",
            )
        known = ~np.isnan(scores).any(axis=1)
        self._scored += int(known.sum())
        order = self._verdict.rank(scores, TOP)
        self._folded.append((starts, np.take_along_axis(scores, order, axis=1), order))
        if known.any():
            self._fold_totals(scores[known])
        self._fold_events(scores, starts)

    def _fold_totals(self, scores: Array) -> None:
        if self._spec.aggregation is Aggregation.MEAN:
            added = scores.sum(axis=0, dtype=np.float64)
            self._sum = added if self._sum is None else self._sum + added
        else:
            kept = self._spec.top_k if self._spec.aggregation is Aggregation.TOP_K_MEAN else 1
            rows = scores if self._best is None else np.concatenate([self._best, scores])
            kept = min(kept, len(rows))
            self._best = np.partition(rows, len(rows) - kept, axis=0)[-kept:]

    def _fold_events(self, scores: Array, starts: NDArray[np.float64]) -> None:
        """Find the events of these windows; one that began in the windows before and goes on is extended."""
        ends = starts + self._window_seconds
        going_on: dict[str, int] = {}
        for event in find_events(scores, starts, ends, self._spec.labels, self._spec.thresholds):
            place = self._ongoing.get(event.label) if event.start == starts[0] else None
            if place is None:
                if len(self._events) == MAX_EVENTS:
                    continue
                place = len(self._events)
                self._events.append(event)
            else:
                before = self._events[place]
                update = {"end": event.end, "peak": max(before.peak, event.peak)}
                self._events[place] = before.model_copy(update=update)
            if event.end == ends[-1]:
                going_on[event.label] = place
        self._ongoing = going_on
