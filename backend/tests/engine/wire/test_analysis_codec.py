"""A worker's message is an analysis or an error, with NaN only for windows that were not scored."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from understudy.engine.wire.analysis_codec import _check_arrays
from understudy.engine.wire.window_codec import decode_windows, encode_windows
from understudy.schemas.inference.stream import StreamedWindow

NAN = float("nan")


def check(window_scores: list[list[float]], totals: list[float] | None = None) -> None:
    count = len(window_scores)
    arrays: dict[str, NDArray[Any]] = {
        "totals": np.array(totals or [0.5, 0.5], np.float32),
        "window_scores": np.array(window_scores, np.float32),
        "starts": np.arange(count, dtype=np.float64),
        "ends": np.arange(count, dtype=np.float64) + 1,
    }
    _check_arrays(arrays, 2)


def test_a_window_that_was_not_scored_is_accepted() -> None:
    check([[0.5, 0.5], [NAN, NAN]])


@pytest.mark.parametrize(
    ("window_scores", "totals"),
    [
        ([[0.5, 0.5], [NAN, 0.5]], None),
        ([[0.5, 0.5], [float("inf"), float("inf")]], None),
        ([[0.5, 0.5], [NAN, float("inf")]], None),
        ([[NAN, NAN]], None),
        ([[0.5, 0.5]], [NAN, NAN]),
    ],
    ids=["in_part", "infinite", "mixed", "none_scored", "totals"],
)
def test_other_values_that_are_not_finite_are_refused(
    window_scores: list[list[float]], totals: list[float] | None
) -> None:
    with pytest.raises(ValueError, match="not finite"):
        check(window_scores, totals)


def test_windows_of_a_stream_come_back() -> None:
    windows = [
        StreamedWindow(start=0, end=1, label="a", score=0.5, scores={"a": 0.5}, findings=()),
        StreamedWindow(start=1, end=2, label=None, score=None, scores=None, findings=()),
    ]
    assert decode_windows(encode_windows(windows)) == windows


@pytest.mark.parametrize(
    "rest",
    [
        '"label":null,"score":0.5,"scores":null',
        '"label":"a","score":null,"scores":{"a":0.5}',
        '"label":"a","score":NaN,"scores":{"a":0.5}',
        '"label":"a","score":0.5,"scores":{"a":Infinity}',
    ],
)
def test_a_window_null_in_part_or_not_finite_is_refused(rest: str) -> None:
    with pytest.raises(ValueError, match="window"):
        decode_windows(f'[{{"start":0,"end":1,{rest},"findings":[]}}]'.encode())
