"""Activation, aggregation and events."""

import numpy as np
import pytest

from understudy.inference.pipeline.scoring import activate, aggregate, find_events
from understudy.schemas.compiler.spec import Aggregation, OutputActivation

ROWS = np.array([[0.1, 0.9], [0.5, 0.7], [0.3, 0.8], [0.9, 0.0]], np.float32)


def test_softmax_and_sigmoid_stay_finite_on_huge_logits() -> None:
    logits = np.array([[1e4, -1e4, 0.0]], np.float32)
    np.testing.assert_allclose(activate(logits, OutputActivation.SOFTMAX), [[1, 0, 0]])
    np.testing.assert_allclose(activate(logits, OutputActivation.SIGMOID), [[1, 0, 0.5]])
    assert activate(logits, OutputActivation.NONE) is logits


def test_activations_are_what_they_are_called() -> None:
    logits = np.array([[0.3, -1.2, 2.0]], np.float32)
    np.testing.assert_allclose(activate(logits, OutputActivation.SIGMOID), 1 / (1 + np.exp(-logits)), atol=1e-6)
    np.testing.assert_allclose(
        activate(logits, OutputActivation.SOFTMAX), np.exp(logits) / np.exp(logits).sum(), atol=1e-6
    )


def test_softmax_treats_every_row_by_itself() -> None:
    logits = np.array([[[0.0, 1.0, 2.0]], [[-500.0, -500.0, -500.0]], [[90.0, 0.0, -90.0]]], np.float32)
    expected = np.exp(logits.astype(np.float64)) / np.exp(logits.astype(np.float64)).sum(axis=-1, keepdims=True)
    scores = activate(logits, OutputActivation.SOFTMAX)
    assert scores.shape == logits.shape
    np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_scores_are_float32_and_means_exact() -> None:
    rows = np.full((100_000, 2), 0.1, np.float32)
    for how in Aggregation:
        total = aggregate(rows, how, 100_000)
        assert total.dtype == np.float32
        np.testing.assert_array_equal(total, rows[0])


@pytest.mark.parametrize(
    ("how", "top_k", "expected"),
    [
        (Aggregation.MEAN, 3, [0.45, 0.6]),
        (Aggregation.MAX, 3, [0.9, 0.9]),
        (Aggregation.TOP_K_MEAN, 2, [0.7, 0.85]),
        (Aggregation.TOP_K_MEAN, 9, [0.45, 0.6]),
    ],
)
def test_windows_are_aggregated_label_by_label(how: Aggregation, top_k: int, expected: list[float]) -> None:
    np.testing.assert_allclose(aggregate(ROWS, how, top_k), expected, atol=1e-6)


def test_events_are_runs_of_windows_at_or_above_the_threshold() -> None:
    starts = np.array([0.0, 0.5, 1.0, 1.5])
    events = find_events(ROWS, starts, starts + 1.0, ("a", "b"), {"a": 0.5, "b": 0.75})
    found = [(event.label, event.start, event.end, round(event.peak, 3)) for event in events]
    assert found == [("b", 0.0, 1.0, 0.9), ("a", 0.5, 1.5, 0.5), ("b", 1.0, 2.0, 0.8), ("a", 1.5, 2.5, 0.9)]


def test_without_thresholds_there_are_no_events() -> None:
    assert find_events(ROWS, np.zeros(4), np.ones(4), ("a", "b"), {}) == ()
