"""Turn a graph's outputs into scores and events."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from understudy.errors import CannotServe
from understudy.schemas.compiler.spec import Aggregation, OutputActivation
from understudy.schemas.inference.prediction import Event

Array = NDArray[np.float32]
Times = NDArray[np.float64]


def activate(logits: Array, activation: OutputActivation) -> Array:
    """Return the scores float32 [..., labels] of `logits` [..., labels].

    Sigmoid is 1 / (1 + exp(-x)) for each label; softmax is exp(x) / sum(exp(x)) over the labels.
    """
    match activation:
        case OutputActivation.NONE:
            return logits
        case OutputActivation.SIGMOID:
            # 1 / (1 + exp(-x)) = (1 + tanh(x / 2)) / 2; tanh saturates where exp would overflow.
            return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)), np.float32)
        case OutputActivation.SOFTMAX:
            # Subtracting the maximum does not change the quotient and keeps exp from overflowing.
            powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
            return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)


def aggregate(scores: Array, aggregation: Aggregation, top_k: int) -> Array:
    """Return one score float32 [labels] for each label of `scores` [windows, labels].

    `mean` and `max` run over all windows. `top_k_mean` is the mean of the `top_k` highest scores of each label, or of
    all scores when there are fewer windows. Means are computed in double precision.
    """
    match aggregation:
        case Aggregation.MEAN:
            return np.asarray(scores.mean(axis=0, dtype=np.float64), np.float32)
        case Aggregation.MAX:
            return np.asarray(scores.max(axis=0), np.float32)
        case Aggregation.TOP_K_MEAN:
            kept = min(top_k, len(scores))
            best = np.partition(scores, len(scores) - kept, axis=0)[-kept:]
            return np.asarray(best.mean(axis=0, dtype=np.float64), np.float32)


def find_scored(scores: Array) -> NDArray[np.bool_]:
    """Return which rows of `scores` [windows, labels] were scored; the scores of the others are NaN.

    Raises CannotServe when no row was scored.
    """
    scored = np.asarray(~np.isnan(scores).any(axis=1))
    if not scored.any():
        raise CannotServe(
            "The model's output holds values that are infinite or not numbers (NaN), for every window of the "
            "recording.",
            remedy="Run the original model on this clip: it overflows or divides by zero, as a division by the peak "
            "of silence does.",
        )
    return scored


def find_events(
    scores: Array, starts: Times, ends: Times, labels: Sequence[str], thresholds: Mapping[str, float]
) -> tuple[Event, ...]:
    """Return the events in `scores` [windows, labels], sorted by start and then by label.

    An event is a run of consecutive windows whose score is at or above the threshold of the label. It lasts from the
    start of its first window to the end of its last one, in seconds; `peak` is its highest score. A window that was not
    scored, whose scores are NaN, ends an event.
    """
    events = []
    for label, threshold in thresholds.items():
        column = scores[:, labels.index(label)]
        above = np.concatenate([[False], column >= threshold, [False]])
        edges = np.flatnonzero(above[1:] != above[:-1])
        for first, stop in zip(edges[::2], edges[1::2], strict=True):
            events.append(
                Event(
                    label=label,
                    start=float(starts[first]),
                    end=float(ends[stop - 1]),
                    peak=float(column[first:stop].max()),
                )
            )
    return tuple(sorted(events, key=lambda event: (event.start, event.label)))
