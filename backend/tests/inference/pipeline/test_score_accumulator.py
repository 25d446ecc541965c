"""A long clip's scores are folded as they come, and say what they said before."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from understudy.errors import AudioTooLong
from understudy.inference.pipeline import score_accumulator
from understudy.inference.pipeline.score_accumulator import AccumulatedScores, ScoreAccumulator
from understudy.inference.pipeline.scoring import aggregate, find_events
from understudy.schemas.compiler.spec import (
    Aggregation,
    InputKind,
    OutputActivation,
    Spec,
)

LABELS = tuple("abcdefghijkl")
HOP, WINDOW = 0.48, 0.96


def spec(aggregation: Aggregation = Aggregation.MEAN, top_k: int = 3, **thresholds: float) -> Spec:
    return Spec(
        input=InputKind.WAVEFORM,
        labels=LABELS,
        labels_named=True,
        activation=OutputActivation.NONE,
        aggregation=aggregation,
        top_k=top_k,
        thresholds=thresholds,
    )


def smooth(windows: int, seed: int = 0) -> Any:
    """Scores that wander, so that events of all lengths occur."""
    steps = np.random.default_rng(seed).normal(0, 0.15, (windows, len(LABELS)))
    return np.abs(np.cumsum(steps, axis=0) % 2 - 1).astype(np.float32)


def times(windows: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Starts and ends of as many windows, in a clip that ends 0.7 s after the last start."""
    starts = np.array([HOP * index for index in range(windows)])
    return starts, np.minimum(starts + WINDOW, starts[-1] + 0.7)


def accumulate(scores: Any, given: Spec) -> AccumulatedScores:
    accumulator = ScoreAccumulator(given, WINDOW)
    starts = [HOP * index for index in range(len(scores))]
    for first in range(0, len(scores), 16):
        accumulator.add(starts[first : first + 16], scores[first : first + 16])
    return accumulator.finish(starts[-1] + 0.7)


@pytest.mark.parametrize(
    ("aggregation", "top_k"),
    [(Aggregation.MEAN, 3), (Aggregation.MAX, 3), (Aggregation.TOP_K_MEAN, 5), (Aggregation.TOP_K_MEAN, 5000)],
)
@pytest.mark.parametrize("windows", [417, 900, 901])
def test_folded_windows_say_what_all_of_them_say(
    monkeypatch: pytest.MonkeyPatch, aggregation: Aggregation, top_k: int, windows: int
) -> None:
    monkeypatch.setattr(score_accumulator, "MAX_LISTED", 5_000)
    scores = smooth(windows)
    given = spec(aggregation, top_k, a=0.7, c=0.0, d=0.9, l=2.0)
    found = accumulate(scores, given)
    assert found.window_labels is not None
    np.testing.assert_allclose(found.totals, aggregate(scores, aggregation, top_k), rtol=1e-6)
    starts, ends = times(windows)
    np.testing.assert_array_equal([found.starts, found.ends], [starts, ends])
    assert found.events == find_events(scores, starts, ends, LABELS, given.thresholds)
    order = np.argsort(-scores, axis=1, kind="stable")[:, : score_accumulator.TOP]
    np.testing.assert_array_equal(found.window_labels, order)
    np.testing.assert_array_equal(found.window_scores, np.take_along_axis(scores, order, axis=1))


def test_a_short_clip_keeps_every_score() -> None:
    scores = smooth(50)
    found = accumulate(scores, spec())
    assert found.window_labels is None
    np.testing.assert_array_equal(found.window_scores, scores)


def test_a_short_clip_averages_as_many_windows_as_the_spec_says() -> None:
    scores = smooth(50)
    for top_k in (1, 5):
        found = accumulate(scores, spec(Aggregation.TOP_K_MEAN, top_k))
        np.testing.assert_allclose(found.totals, np.sort(scores, axis=0)[-top_k:].mean(axis=0), rtol=1e-6)


def test_events_and_windows_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score_accumulator, "MAX_LISTED", 5_000)
    monkeypatch.setattr(score_accumulator, "MAX_EVENTS", 7)
    scores = smooth(2000)
    given = spec(a=0.5)
    found = accumulate(scores, given)
    every = find_events(scores, *times(2000), LABELS, given.thresholds)
    assert len(every) > 7
    assert found.events == every[:7]
    monkeypatch.setattr(score_accumulator, "MAX_WINDOWS", 2000)
    assert len(accumulate(scores, given).starts) == 2000
    monkeypatch.setattr(score_accumulator, "MAX_WINDOWS", 1999)
    with pytest.raises(AudioTooLong, match="more than 1999 windows") as caught:
        accumulate(scores, given)
    assert "hop_seconds" in caught.value.remedy
