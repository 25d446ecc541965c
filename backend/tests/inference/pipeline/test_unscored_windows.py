"""A window whose output is not finite is named, and the others are answered."""

from typing import Any

import numpy as np
import pytest

from understudy.errors import CannotServe
from understudy.inference.pipeline import score_accumulator
from understudy.inference.pipeline.pipeline import Pipeline
from understudy.schemas.inference.finding import FindingCode

RATE = 16_000
SPEC: dict[str, Any] = {
    "input": "waveform",
    "labels": ("a", "b"),
    "window_seconds": 1.0,
    "hop_seconds": 1.0,
    "thresholds": {"a": 0.5},
}


@pytest.fixture
def pipeline(load: Any, graph: Any) -> Pipeline:
    """A model that divides each window by its peak: 0 / 0 for digital silence."""
    body = graph(
        {"x": ["n", RATE]},
        {"y": ["n", 2]},
        [
            ("ReduceMax", ["x", "axes"], ["peak"], {"keepdims": 1}),
            ("Div", ["x", "peak"], ["scaled"], {}),
            ("ReduceMax", ["scaled", "axes"], ["top"], {"keepdims": 1}),
            ("Mul", ["top", "weights"], ["y"], {}),
        ],
        {"axes": np.array([1]), "weights": np.array([[1.0, 0.25]], np.float32)},
    )
    loaded: Pipeline = load(body, probe={"x": np.ones((2, RATE), np.float32)}, **SPEC)
    return loaded


def sound(*loud: bool) -> Any:
    return np.concatenate([np.full(RATE, 0.5 if each else 0.0, np.float32) for each in loud])


@pytest.mark.parametrize("most", [score_accumulator.MAX_LISTED, 1])
def test_the_other_windows_are_answered(
    pipeline: Pipeline, clip: Any, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(score_accumulator, "MAX_LISTED", most)
    found = pipeline.analyze(clip(sound(True, False, False, True)))
    assert found.scores == {"a": 1.0, "b": 0.25}
    assert [window.label for window in found.windows] == ["a", None, None, "a"]
    assert [window.score for window in found.windows] == [1.0, None, None, 1.0]
    assert found.windows[1].scores is None
    assert [(event.start, event.end) for event in found.events] == [(0.0, 1.0), (3.0, 4.0)]
    [finding] = found.findings
    assert (finding.code, finding.start, finding.end) == (FindingCode.WINDOW_NOT_SCORED, 1.0, 3.0)
    assert finding.detail.startswith("2 windows were not scored, from 1.00 to 3.00 s")
    assert finding.detail in found.warnings


@pytest.mark.parametrize("most", [score_accumulator.MAX_LISTED, 1])
def test_no_scored_window_is_an_error(
    pipeline: Pipeline, clip: Any, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(score_accumulator, "MAX_LISTED", most)
    with pytest.raises(CannotServe, match="for every window") as caught:
        pipeline.analyze(clip(sound(False, False)))
    assert "original model" in caught.value.remedy


def test_a_joint_run_gives_every_clip_its_own_scores(pipeline: Pipeline) -> None:
    [whole, silent], _ = pipeline.score([[sound(True)], [sound(False), sound(True)]])
    np.testing.assert_array_equal(whole, [[1.0, 0.25]])
    np.testing.assert_array_equal(silent, [[np.nan, np.nan], [1.0, 0.25]])


def test_a_stream_goes_on(pipeline: Pipeline) -> None:
    scorer = pipeline.create_stream_scorer(RATE)
    windows = [window for each in (True, False, True) for window in scorer.push(sound(each))]
    assert [window.label for window in windows] == ["a", None, "a"]
    assert [[finding.code for finding in window.findings] for window in windows] == [
        [],
        [FindingCode.WINDOW_NOT_SCORED],
        [],
    ]


def test_many_stretches_are_named_together(pipeline: Pipeline, clip: Any) -> None:
    found = pipeline.analyze(clip(sound(*[True, False] * 30)))
    assert len(found.findings) == 20
    assert found.findings[-1].detail.startswith("11 windows were not scored, from 39.00 to 60.00 s")
