"""Models that take pooled embeddings, sequences of embeddings, or features of a front end."""

from typing import Any

import numpy as np
import pytest

from understudy.audio.features.front_end import FrontEnd
from understudy.audio.features.patches import PatchStream
from understudy.errors import AudioTooLong, SpecInvalid
from understudy.schemas.compiler.spec import OutputActivation

RATE = 16_000
MFCC: dict[str, Any] = {
    "input": "features",
    "front_end": [{"kind": "mfcc", "n_mfcc": 13}],
    "labels": ("a", "b"),
    "sample_rate": 22_050,
    "window_seconds": None,
    "hop_seconds": None,
}
POOLED: dict[str, Any] = {
    "input": "embedding",
    "pooling": "mean",
    "labels": ("a", "b"),
    "window_seconds": None,
    "hop_seconds": None,
}


@pytest.fixture(scope="module")
def sound() -> Any:
    """Two and a half seconds of noise that becomes louder."""
    noise = np.random.default_rng(5).standard_normal(RATE * 5 // 2)
    return np.asarray(0.2 * noise * np.linspace(0.05, 1, len(noise)), np.float32)


@pytest.fixture(scope="module")
def squares(graph: Any) -> Any:
    """A model [n, width] whose first score is the mean of its values' squares: not linear, so pooling matters."""

    def build(*shape: Any) -> bytes:
        body: bytes = graph(
            {"x": shape},
            {"y": [shape[0], 2]},
            [
                ("Mul", ["x", "x"], ["squares"], {}),
                ("ReduceMean", ["squares", "axes"], ["mean"], {"keepdims": 0}),
                ("Unsqueeze", ["mean", "last"], ["column"], {}),
                ("Mul", ["column", "weights"], ["y"], {}),
            ],
            {
                "axes": np.arange(1, len(shape)),
                "last": np.array([1]),
                "weights": np.array([[1.0, 0.5]], np.float32),
            },
        )
        return body

    return build


def cut_patches(samples: Any) -> Any:
    stream = PatchStream()
    return np.stack([patch for _, patch in [*stream.push(samples), *stream.finish()]])


def test_embeddings_are_averaged_before_the_model(
    load: Any, squares: Any, clip: Any, sound: Any, backbone: Any
) -> None:
    probe = {"x": np.ones((2, 1024), np.float32)}
    pooled = load(squares("n", 1024), probe=probe, backbone=backbone, **POOLED).analyze(clip(sound))
    rows = backbone.embed(cut_patches(sound))
    assert pooled.scores["a"] == pytest.approx(float(np.square(rows.mean(axis=0)).mean()), rel=1e-5)
    assert (len(pooled.starts), pooled.starts[0], pooled.ends[0]) == (1, 0.0, 2.5)
    alone = load(squares("n", 1024), probe=probe, backbone=backbone, input="embedding", labels=("a", "b"))
    assert alone.analyze(clip(sound)).scores["a"] == pytest.approx(float(np.square(rows).mean()), rel=1e-5)
    assert pooled.scores["a"] != pytest.approx(float(np.square(rows).mean()), rel=1e-3)


def test_pooled_windows_are_scored_one_by_one_and_as_a_stream(
    load: Any, squares: Any, clip: Any, sound: Any, backbone: Any
) -> None:
    spec = POOLED | {"window_seconds": 1.0, "hop_seconds": 0.5}
    pipeline = load(squares("n", 1024), probe={"x": np.ones((2, 1024), np.float32)}, backbone=backbone, **spec)
    found = pipeline.analyze(clip(sound))
    assert found.starts.tolist() == [0, 0.5, 1.0, 1.5]
    expected = [
        float(np.square(backbone.embed(cut_patches(sound[at : at + RATE])).mean(axis=0)).mean())
        for at in (0, 8_000, 16_000, 24_000)
    ]
    np.testing.assert_allclose(found.window_scores[:, 0], expected, rtol=1e-5)
    scorer = pipeline.create_stream_scorer(RATE)
    streamed = [w for at in range(0, len(sound), 3_000) for w in scorer.push(sound[at : at + 3_000])] + scorer.finish()
    np.testing.assert_allclose([window.scores["a"] for window in streamed], expected, rtol=1e-5)


def test_a_model_on_a_sequence_of_embeddings_gets_them_in_order(
    load: Any, squares: Any, clip: Any, sound: Any, backbone: Any
) -> None:
    spec = {**POOLED, "pooling": None}
    pipeline = load(squares("n", "t", 1024), probe={"x": np.ones((1, 3, 1024), np.float32)}, backbone=backbone, **spec)
    rows = backbone.embed(cut_patches(sound))
    assert pipeline.analyze(clip(sound)).scores["a"] == pytest.approx(float(np.square(rows).mean()), rel=1e-5)


def test_a_whole_clip_of_features_is_one_item(load: Any, squares: Any, clip: Any, sound: Any) -> None:
    found = load(squares("n", "t", 13), probe={"x": np.ones((1, 3, 13), np.float32)}, **MFCC).analyze(
        clip(sound, 22_050)
    )
    pipeline = load(squares("n", 13), probe={"x": np.ones((2, 13), np.float32)}, **MFCC, pooling="mean")
    [frames] = FrontEnd(pipeline.spec.front_end or (), 22_050).compute(sound)
    assert found.scores["a"] == pytest.approx(float(np.square(frames).mean()), rel=1e-4)
    pooled = pipeline.analyze(clip(sound, 22_050))
    assert pooled.scores["a"] == pytest.approx(float(np.square(frames.mean(axis=0)).mean()), rel=1e-4)


@pytest.mark.parametrize(
    ("tail", "starts", "warned"),
    [("pad", [0, 1, 2], ""), ("drop", [0, 1], "fill no window"), ("keep", [0, 1, 2], "")],
)
def test_the_end_of_a_clip_is_padded_dropped_or_kept(
    load: Any, squares: Any, clip: Any, sound: Any, tail: str, starts: list[int], warned: str
) -> None:
    spec = MFCC | {"window_seconds": 1.0, "hop_seconds": 1.0, "sample_rate": RATE, "tail": tail, "pooling": "mean"}
    pipeline = load(squares("n", 13), probe={"x": np.ones((2, 13), np.float32)}, **spec)
    found = pipeline.analyze(clip(sound))
    assert found.starts.tolist() == starts
    assert (warned in " ".join(found.warnings)) is True
    assert found.ends[-1] == (2.0 if tail == "drop" else 2.5)
    if tail == "keep":
        [frames] = FrontEnd(pipeline.spec.front_end or (), RATE).compute(sound[2 * RATE :])
        assert found.window_scores[2, 0] == pytest.approx(float(np.square(frames.mean(axis=0)).mean()), rel=1e-4)


def test_a_short_window_that_is_kept_is_not_called_silence(load: Any, squares: Any, clip: Any, sound: Any) -> None:
    spec = MFCC | {"window_seconds": 2.0, "hop_seconds": 2.0, "sample_rate": RATE, "tail": "keep", "pooling": "mean"}
    pipeline = load(squares("n", 13), probe={"x": np.ones((2, 13), np.float32)}, **spec)
    for seconds in (2.5, 1.0):
        warnings = pipeline.analyze(clip(sound[: int(seconds * RATE)])).warnings
        assert not any("silence" in warning for warning in warnings), seconds


def test_the_recordings_own_rate_is_kept(load: Any, squares: Any, clip: Any, sound: Any) -> None:
    spec = MFCC | {"sample_rate": "file", "pooling": "mean"}
    pipeline = load(squares("n", 13), probe={"x": np.ones((2, 13), np.float32)}, **spec)
    for rate in (8_000, 44_100):
        [frames] = FrontEnd(pipeline.spec.front_end or (), rate).compute(sound)
        found = pipeline.analyze(clip(sound, rate))
        assert found.scores["a"] == pytest.approx(float(np.square(frames.mean(axis=0)).mean()), rel=1e-4)


def test_a_cut_recording_says_how_much_was_scored(load: Any, squares: Any, clip: Any, sound: Any) -> None:
    spec = MFCC | {"sound": {"offset": 0.5, "duration": 1.0}, "pooling": "mean", "sample_rate": RATE}
    pipeline = load(squares("n", 13), probe={"x": np.ones((2, 13), np.float32)}, **spec)
    found = pipeline.analyze(clip(sound))
    [frames] = FrontEnd(pipeline.spec.front_end or (), RATE).compute(sound[RATE // 2 : RATE * 3 // 2])
    assert found.scores["a"] == pytest.approx(float(np.square(frames.mean(axis=0)).mean()), rel=1e-4)
    assert "The spec cuts the recording: 1.00 of 2.50 s were scored." in found.warnings
    assert (found.starts.tolist(), found.ends.tolist()) == ([0.5], [1.5])


def test_a_clip_beyond_the_whole_clip_limit_is_refused(load: Any, squares: Any, clip: Any, sound: Any) -> None:
    spec = MFCC | {"pooling": "mean", "sound": {"gain": "peak"}}
    pipeline = load(squares("n", 13), probe={"x": np.ones((2, 13), np.float32)}, whole=1.0, **spec)
    with pytest.raises(AudioTooLong):
        pipeline.analyze(clip(sound, 22_050))


@pytest.mark.parametrize(
    ("shape", "changes", "words"),
    [
        (["n", 40], {"pooling": "mean"}, r"items of \[13\], and the model's input x takes \[40\]"),
        (["n", 13], {}, r"items of \[\?, 13\], and the model's input x takes \[13\]"),
        (["n", 40, 13], {}, r"items of \[\?, 13\], and the model's input x takes \[40, 13\]"),
    ],
)
def test_a_spec_that_makes_other_shapes_is_refused_with_both(
    load: Any, squares: Any, shape: list[Any], changes: dict[str, Any], words: str
) -> None:
    probe = {"x": np.ones([size if isinstance(size, int) else 2 for size in shape], np.float32)}
    with pytest.raises(SpecInvalid, match=words):
        load(squares(*shape), probe=probe, **MFCC | changes)


@pytest.mark.parametrize(
    ("level", "threshold", "label"),
    [(0.1, 0.5, "scream"), (0.1, 0.6, "calm"), (-5.0, 0.5, "calm"), (-5.0, 0.005, "scream"), (3.0, 0.5, "scream")],
)
def test_one_sigmoid_output_decides_between_two_labels(
    load: Any, mean_graph: Any, clip: Any, level: float, threshold: float, label: str
) -> None:
    pipeline = load(
        mean_graph(["n", RATE], [level * 10]),
        input="waveform",
        labels=("calm", "scream"),
        otherwise="calm",
        thresholds={"scream": threshold},
        activation=OutputActivation.SIGMOID,
        window_seconds=1.0,
        hop_seconds=1.0,
    )
    found = pipeline.analyze(clip(np.full(RATE, 0.1, np.float32)))
    scream = 1 / (1 + np.exp(-level))
    assert found.scores == pytest.approx({"calm": 1 - scream, "scream": scream}, abs=1e-3)
    assert (found.label, found.windows[0].label) == (label, label)
    assert found.score == found.scores[label]
    assert [event.label for event in found.events] == (["scream"] if label == "scream" else [])
