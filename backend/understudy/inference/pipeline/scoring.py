"""From a graph's outputs to scores: activation, aggregation, events."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from understudy.schemas.compiler.spec import Aggregation, OutputActivation
from understudy.schemas.inference.prediction import Event

Array = NDArray[np.float32]
Times = NDArray[np.float64]


def activate(logits: Array, activation: OutputActivation) -> Array:
    """Scores of logits [..., labels]; softmax runs over the labels."""
    match activation:
        case OutputActivation.NONE:
            return logits
        case OutputActivation.SIGMOID:
            # tanh saturates where exp would overflow.
            return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)), np.float32)
        case OutputActivation.SOFTMAX:
            powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
            return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)


def aggregate(scores: Array, aggregation: Aggregation, top_k: int) -> Array:
    """One score a label [labels] of [windows, labels].

    `top_k_mean` averages each label's `top_k` highest windows, or all where there are fewer.
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


def find_events(
    scores: Array, starts: Times, ends: Times, labels: Sequence[str], thresholds: Mapping[str, float]
) -> tuple[Event, ...]:
    """Runs of consecutive windows [windows, labels] at or above a label's threshold, by start and then by label.

    An event lasts from its first window's start to its last one's end, in seconds; `peak` is its highest score.
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
