"""A stream is scored as the same samples are in a file."""

from typing import Any

import numpy as np
import pytest

from understudy.errors import NotForAudio

RATE = 16_000
WINDOW: dict[str, Any] = {"input": "waveform", "labels": ("a", "b"), "window_seconds": 1.0, "hop_seconds": 0.5}


@pytest.mark.parametrize("piece", [999, 16_000, 40_000])
@pytest.mark.parametrize("kind", ["waveform", "log_mel_patch"])
def test_pieces_of_a_stream_give_the_windows_of_the_file(
    load: Any, mean_graph: Any, clip: Any, kind: str, piece: int
) -> None:
    sound = np.random.default_rng(3).uniform(-0.5, 0.5, 38_000).astype(np.float32)
    spec = WINDOW if kind == "waveform" else {"input": kind, "labels": ("a", "b")}
    pipeline = load(mean_graph(["n", RATE] if kind == "waveform" else ["n", 96, 64], [1.0, 2.0]), **spec)
    scorer = pipeline.create_stream_scorer(RATE)
    windows = [window for start in range(0, len(sound), piece) for window in scorer.push(sound[start : start + piece])]
    windows += scorer.finish()
    expected = pipeline.analyze(clip(sound)).windows
    assert len(windows) == len(expected) > 2
    assert windows[-1].end == len(sound) / RATE
    for window, other in zip(windows, expected, strict=True):
        assert (window.start, window.end, window.label) == (other.start, other.end, other.label)
        assert window.scores == pytest.approx(other.scores, abs=1e-5)
    assert (scorer.rate, scorer.window_seconds, scorer.hop_seconds) == (
        RATE,
        *((1.0, 0.5) if kind == "waveform" else (0.96, 0.48)),
    )


def test_a_model_of_whole_clips_or_tensors_scores_no_stream(load: Any, mean_graph: Any) -> None:
    with pytest.raises(NotForAudio, match="whole clip at once") as caught:
        load(mean_graph(["n", "t"], [1.0, 2.0]), **WINDOW | {"window_seconds": None}).create_stream_scorer(RATE)
    assert "window_seconds" in caught.value.remedy
    with pytest.raises(NotForAudio, match="The model takes tensors, and its spec does not say how to make one from"):
        load(mean_graph(["n", 4], [1.0]), input="tensor", labels=()).create_stream_scorer(RATE)
