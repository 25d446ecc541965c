"""Warnings on an answer."""

from typing import Any

import numpy as np
import pytest

RATE = 16_000
PATCH: dict[str, Any] = {"input": "log_mel_patch", "labels": ("a", "b"), "activation": "sigmoid"}


@pytest.fixture
def warnings(load: Any, mean_graph: Any, clip: Any) -> Any:
    def of(sound: Any, **spec: Any) -> str:
        found = load(mean_graph(["n", 96, 64], [1.0, 2.0]), **PATCH | spec).analyze(clip(sound))
        return "\n".join(found.warnings)

    return of


def tone(seconds: float) -> Any:
    return 0.5 * np.sin(np.arange(int(seconds * RATE)) / 5)


def test_plain_clip_has_none(warnings: Any) -> None:
    assert warnings(tone(0.975 + 0.48)) == ""


def test_unnamed_labels_are_reported(warnings: Any) -> None:
    assert "no label names" in warnings(tone(1.455), labels=("class_0", "class_1"), labels_named=False)


def test_scores_that_are_no_probabilities_are_reported(warnings: Any) -> None:
    assert "not probabilities" in warnings(tone(1.455), activation="none")


def test_ten_milliseconds_are_one_window_filled_with_silence(load: Any, mean_graph: Any, clip: Any) -> None:
    found = load(mean_graph(["n", 96, 64], [1.0, 2.0]), **PATCH).analyze(clip(tone(0.01)))
    assert found.window_scores.shape == (1, 2)
    assert (found.starts[0], found.ends[0]) == (0.0, 0.01)
    assert "filled with silence" in found.warnings[0]


def test_last_window_that_is_mostly_padding_is_reported(warnings: Any) -> None:
    assert "silence that was added after" in warnings(tone(1.2), hop_seconds=0.96)
    assert warnings(tone(1.9), hop_seconds=0.96) == ""


def test_silence_is_analyzed_and_reported(load: Any, mean_graph: Any, clip: Any) -> None:
    found = load(mean_graph(["n", 96, 64], [1.0, 2.0]), **PATCH).analyze(clip(np.zeros(2 * RATE)))
    assert np.isfinite(found.score)
    assert found.audio.silent
    assert found.audio.level_dbfs is None
    assert any("silent" in warning for warning in found.warnings)


def test_clipping_is_reported(warnings: Any) -> None:
    assert "clipped" in warnings(np.clip(8 * tone(1.455), -1, 1))
