"""Clips through every kind of input, to analyses."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from understudy.audio.features.log_mel import compute_log_mel
from understudy.errors import AudioTooLong, CannotServe, NotForAudio
from understudy.inference.pipeline.score_accumulator import TOP
from understudy.schemas.compiler.spec import Aggregation, OutputActivation

RATE = 16_000
WINDOW: dict[str, Any] = {"input": "waveform", "labels": ("a", "b"), "window_seconds": 1.0, "hop_seconds": 0.5}
PATCH: dict[str, Any] = {"input": "log_mel_patch", "labels": ("a", "b")}


@pytest.fixture(scope="module")
def steps() -> Any:
    """Two seconds that rise by steps of half a second: means 0.1, 0.2, 0.3, 0.4."""
    return np.repeat(np.array([0.1, 0.2, 0.3, 0.4], np.float32), RATE // 2)


@pytest.mark.parametrize("shape", [["n", "t"], ["n", RATE], [1, RATE], [4, RATE], ["n", RATE, 1], [1, "t", 1]])
def test_waveform_batches_of_every_layout_give_the_same_windows(
    load: Any, mean_graph: Any, clip: Any, steps: Any, shape: list[Any]
) -> None:
    probe = {"x": np.ones([size if isinstance(size, int) else 8 for size in shape], np.float32)}
    found = load(mean_graph(shape, [1.0, 2.0]), probe=probe, **WINDOW).analyze(clip(steps))
    np.testing.assert_allclose(found.window_scores[:, 0], [0.15, 0.25, 0.35], atol=1e-4)
    np.testing.assert_allclose(found.window_scores[:, 1], [0.3, 0.5, 0.7], atol=1e-4)
    np.testing.assert_allclose([found.starts, found.ends], [[0, 0.5, 1.0], [1.0, 1.5, 2.0]])
    assert (found.label, round(found.score, 4)) == ("b", 0.5)
    assert found.scores == pytest.approx({"a": 0.25, "b": 0.5}, abs=1e-4)


def rows_graph(graph: Any, inputs: list[Any], outputs: list[Any], rows: list[Any]) -> bytes:
    """Reshapes the input to rows of two values, as a model with framing of its own answers."""
    body: bytes = graph(
        {"x": inputs}, {"y": outputs}, [("Reshape", ["x", "rows"], ["y"], {})], {"rows": np.array(rows)}
    )
    return body


def test_waveform_without_a_batch_is_fed_window_by_window(load: Any, graph: Any, clip: Any, steps: Any) -> None:
    single = graph(
        {"x": ["t"]},
        {"y": [2]},
        [("ReduceMean", ["x"], ["mean"], {"keepdims": 1}), ("Mul", ["mean", "w"], ["y"], {})],
        {"w": np.array([1.0, 2.0], np.float32)},
    )
    found = load(single, **WINDOW).analyze(clip(steps))
    np.testing.assert_allclose(found.window_scores[:, 1], [0.3, 0.5, 0.7], atol=1e-4)


@pytest.mark.parametrize("shape", [["t"], [1, "t"]])
@pytest.mark.parametrize(("how", "expected"), [(Aggregation.MEAN, 0.25), (Aggregation.MAX, 0.4)])
def test_rows_of_a_models_own_framing_collapse_into_their_window(
    load: Any, graph: Any, clip: Any, steps: Any, shape: list[Any], how: Aggregation, expected: float
) -> None:
    model = rows_graph(graph, shape, ["r", 2], [-1, 2])
    probe = {"x": np.ones([8] if len(shape) == 1 else [1, 8], np.float32)}
    spec = WINDOW | {"window_seconds": None, "aggregation": how}
    found = load(model, probe=probe, **spec).analyze(clip(steps))
    assert found.window_scores.shape == (1, 2)
    assert (found.starts[0], found.ends[0]) == (0.0, 2.0)
    assert found.score == pytest.approx(expected, abs=1e-4)


def test_rows_of_a_model_with_one_label_are_aggregated_too(load: Any, graph: Any, clip: Any, steps: Any) -> None:
    model = rows_graph(graph, ["n", RATE], ["n", "r", 1], [0, -1, 1])
    spec = WINDOW | {"labels": ("only",), "aggregation": Aggregation.MAX}
    found = load(model, **spec).analyze(clip(steps))
    np.testing.assert_allclose(found.window_scores[:, 0], [0.2, 0.3, 0.4], atol=1e-4)


def test_rows_of_a_batch_stay_with_their_windows(load: Any, graph: Any, clip: Any, steps: Any) -> None:
    model = rows_graph(graph, ["n", RATE], ["n", "r", 2], [0, -1, 2])
    found = load(model, **WINDOW).analyze(clip(steps))
    np.testing.assert_allclose(found.window_scores[:, 0], [0.15, 0.25, 0.35], atol=1e-4)


def test_rows_that_belong_to_no_window_are_an_error(load: Any, graph: Any, clip: Any, steps: Any) -> None:
    pipeline = load(rows_graph(graph, ["n", RATE], ["r", 2], [-1, 2]), **WINDOW)
    with pytest.raises(CannotServe, match="shape"):
        pipeline.analyze(clip(steps))


@pytest.mark.parametrize("shape", [["n", 96, 64], ["n", 96, 64, 1], [1, 96, 64], ["n", "f", 64]])
def test_log_mel_patches_are_those_of_the_front_end(load: Any, mean_graph: Any, clip: Any, shape: list[Any]) -> None:
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, 2 * RATE).astype(np.float32)
    probe = {"x": np.ones([size if isinstance(size, int) else 96 for size in shape], np.float32)}
    found = load(mean_graph(shape, [1.0, -1.0]), probe=probe, **PATCH).analyze(clip(sound))
    frames = compute_log_mel(np.pad(sound, (0, 15_600 + 3 * 7_680 - len(sound))))
    expected = [frames[start : start + 96].mean() for start in (0, 48, 96, 144)]
    np.testing.assert_allclose(found.window_scores[:, 0], expected, atol=1e-4)
    np.testing.assert_allclose(found.starts, [0, 0.48, 0.96, 1.44])
    np.testing.assert_allclose(found.ends, [0.96, 1.44, 1.92, 2.0])


def test_patch_without_a_batch_axis_is_fed_one_by_one(load: Any, graph: Any, clip: Any) -> None:
    single = graph(
        {"x": [96, 64]},
        {"y": [2]},
        [("ReduceMean", ["x", "axes"], ["mean"], {"keepdims": 0}), ("Mul", ["mean", "w"], ["y"], {})],
        {"axes": np.array([0, 1]), "w": np.array([1.0, 2.0], np.float32)},
    )
    found = load(single, **PATCH).analyze(clip(np.full(2 * RATE, 0.1)))
    assert found.window_scores.shape == (4, 2)


def test_whole_clip_of_log_mel_frames_is_one_window(load: Any, mean_graph: Any, clip: Any) -> None:
    probe = {"x": np.ones((1, 96, 64), np.float32)}
    pipeline = load(mean_graph(["n", "f", 64], [1.0, 2.0]), probe=probe, **PATCH | {"window_seconds": None})
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, 2 * RATE).astype(np.float32)
    assert pipeline.analyze(clip(sound)).window_scores[0, 0] == pytest.approx(compute_log_mel(sound).mean(), abs=1e-4)
    assert pipeline.analyze(clip(sound[:100])).window_scores.shape == (1, 2)


@pytest.mark.parametrize(("kind", "width"), [("embedding", 1024), ("scores", 521)])
def test_heads_are_scored_through_the_backbone(
    load: Any, mean_graph: Any, backbone: Any, clip: Any, kind: str, width: int
) -> None:
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, 2 * RATE).astype(np.float32)
    direct = load(mean_graph(["n", 96, 64], [1.0, 2.0]), **PATCH).analyze(clip(sound))
    head = load(mean_graph(["n", width], [1.0, 2.0]), backbone=backbone, input=kind, labels=("a", "b"))
    head.warm_up()
    np.testing.assert_allclose(head.analyze(clip(sound)).window_scores, direct.window_scores, atol=1e-4)


def test_activation_is_applied_only_to_what_the_graph_leaves_raw(
    load: Any, mean_graph: Any, clip: Any, steps: Any
) -> None:
    model = mean_graph(["n", RATE], [1.0, 2.0])
    raw = load(model, **WINDOW).analyze(clip(steps)).window_scores
    softmax = WINDOW | {"activation": OutputActivation.SOFTMAX}
    np.testing.assert_allclose(load(model, **softmax).analyze(clip(steps)).window_scores.sum(axis=1), 1, atol=1e-6)
    kept = load(model, graph_activation=OutputActivation.SOFTMAX, **softmax).analyze(clip(steps))
    np.testing.assert_array_equal(kept.window_scores, raw)
    assert not any("probabilities" in warning for warning in kept.warnings)


def test_output_as_wide_as_the_labels_is_the_one_that_is_read(load: Any, graph: Any, clip: Any, steps: Any) -> None:
    model = graph(
        {"x": ["n", RATE]},
        {"wide": ["n", RATE], "y": ["n", 1]},
        [("Neg", ["x"], ["wide"], {}), ("ReduceMean", ["x", "axes"], ["y"], {})],
        {"axes": np.array([1])},
    )
    found = load(model, **WINDOW | {"labels": ("only",)}).analyze(clip(steps))
    np.testing.assert_allclose(found.window_scores[:, 0], [0.15, 0.25, 0.35], atol=1e-4)


def test_model_in_half_precision_is_fed_half_precision(load: Any, graph: Any, clip: Any, steps: Any) -> None:
    model = graph(
        {"x": ["n", RATE]},
        {"y": ["n", 1]},
        [("ReduceMean", ["x", "axes"], ["y"], {})],
        {"axes": np.array([1])},
        dtype=10,
    )
    probe = {"x": np.ones((1, RATE), np.float16)}
    found = load(model, probe=probe, **WINDOW | {"labels": ("only",)}).analyze(clip(steps))
    assert found.window_scores.dtype == np.float32
    np.testing.assert_allclose(found.window_scores[:, 0], [0.15, 0.25, 0.35], atol=1e-3)


def test_scores_that_are_not_numbers_are_an_error_and_never_a_score(load: Any, graph: Any, clip: Any) -> None:
    model = graph(
        {"x": ["n", RATE]},
        {"y": ["n", 1]},
        [("ReduceMean", ["x", "axes"], ["mean"], {}), ("Log", ["mean"], ["y"], {})],
        {"axes": np.array([1])},
    )
    pipeline = load(model, **WINDOW | {"labels": ("only",)})
    assert np.isfinite(pipeline.analyze(clip(np.full(RATE, 0.5))).score)
    for spoiled in (np.zeros(RATE), np.full(RATE, -0.5)):
        with pytest.raises(CannotServe, match="not numbers") as caught:
            pipeline.analyze(clip(spoiled))
        assert "original model" in caught.value.remedy


def test_events_follow_the_thresholds(load: Any, mean_graph: Any, clip: Any, steps: Any) -> None:
    model = mean_graph(["n", RATE], [1.0, 2.0])
    [event] = load(model, **WINDOW | {"thresholds": {"b": 0.45}}).analyze(clip(steps)).events
    assert (event.label, event.start, event.end) == ("b", 0.5, 2.0)
    assert event.peak == pytest.approx(0.7, abs=1e-4)
    assert load(model, **WINDOW).analyze(clip(steps)).events == ()


def test_long_clip_in_batches_equals_its_windows_one_by_one(load: Any, mean_graph: Any, clip: Any) -> None:
    sound = np.random.default_rng(2).uniform(-1, 1, 30 * RATE).astype(np.float32)
    found = load(mean_graph(["n", RATE], [1.0, 2.0]), **WINDOW).analyze(clip(sound))
    expected = [sound[start : start + RATE].mean() for start in range(0, 29 * RATE + 1, RATE // 2)]
    np.testing.assert_allclose(found.window_scores[:, 0], expected, atol=1e-5)


def test_whole_clip_beyond_its_limit_is_too_long(load: Any, mean_graph: Any, clip: Any) -> None:
    pipeline = load(mean_graph(["n", "t"], [1.0, 2.0]), whole=1.5, **WINDOW | {"window_seconds": None})
    assert pipeline.analyze(clip(np.full(int(1.5 * RATE), 0.1))).ends[0] == 1.5
    with pytest.raises(AudioTooLong, match="whole clip at once") as caught:
        pipeline.analyze(clip(np.full(int(1.5 * RATE) + 1, 0.1)))
    assert "UNDERSTUDY_MAX_WHOLE_CLIP_SECONDS" in caught.value.remedy


def test_source_rate_is_brought_to_the_models(load: Any, mean_graph: Any, clip: Any) -> None:
    pipeline = load(mean_graph(["n", 8_000], [1.0, 2.0]), **WINDOW | {"sample_rate": 8_000})
    found = pipeline.analyze(clip(np.full(2 * 44_100, 0.25), 44_100))
    assert found.window_scores.shape == (3, 2)
    assert found.window_scores[1, 0] == pytest.approx(0.25, abs=1e-3)
    assert (found.audio.sample_rate, found.audio.duration_seconds) == (44_100, 2.0)


@pytest.mark.parametrize("backboned", [False, True])
def test_several_threads_get_the_answers_of_one(
    load: Any, mean_graph: Any, backbone: Any, clip: Any, backboned: bool
) -> None:
    if backboned:
        pipeline = load(mean_graph(["n", 1024], [1.0, 2.0]), backbone=backbone, input="embedding", labels=("a", "b"))
    else:
        pipeline = load(mean_graph(["n", "t"], [1.0, 2.0]), **WINDOW | {"window_seconds": None})
    sounds = [np.random.default_rng(seed).uniform(-1, 1, 8_000 + 900 * seed) for seed in range(24)]
    alone = [pipeline.analyze(clip(sound)).score for sound in sounds]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda sound: pipeline.analyze(clip(sound)).score, sounds)) == alone


def test_tensor_model_is_not_for_audio(load: Any, graph: Any, clip: Any) -> None:
    adding = graph({"p": ["n", 4], "q": ["n", 4]}, {"y": ["n", 4]}, [("Add", ["p", "q"], ["y"], {})])
    probe = {"p": np.ones((2, 4), np.float32), "q": np.ones((2, 4), np.float32)}
    pipeline = load(adding, probe=probe, input="tensor", labels=())
    pipeline.warm_up()
    with pytest.raises(NotForAudio):
        pipeline.analyze(clip(np.ones(100)))
    np.testing.assert_array_equal(pipeline.graph.run(probe)["y"], np.full((2, 4), 2.0))


def test_requests_that_share_a_run_get_their_own_scores(load: Any, mean_graph: Any) -> None:
    pipeline = load(mean_graph(["n", RATE], [1.0, 2.0]), **WINDOW)
    assert pipeline.joinable
    requests = [[np.full(RATE, value, np.float32)] * windows for value, windows in ((0.1, 1), (0.2, 3), (0.3, 2))]
    began = time.perf_counter()
    parts, seconds = pipeline.score(requests)
    assert 0 < seconds <= time.perf_counter() - began
    for part, (value, windows) in zip(parts, ((0.1, 1), (0.2, 3), (0.3, 2)), strict=True):
        np.testing.assert_allclose(part, [[value, 2 * value]] * windows, atol=1e-4)
    whole = load(mean_graph(["n", "t"], [1.0, 2.0]), **WINDOW | {"window_seconds": None})
    assert not whole.joinable


def test_phases_are_timed(load: Any, mean_graph: Any, clip: Any, steps: Any) -> None:
    timing = load(mean_graph(["n", 96, 64], [1.0, 2.0]), **PATCH).analyze(clip(steps)).timing
    assert min(timing.decode, timing.features, timing.inference) > 0


def test_very_long_answer_lists_the_best_labels_only(load: Any, mean_graph: Any, clip: Any) -> None:
    labels = tuple(f"label {index}" for index in range(1_000))
    spec = WINDOW | {"labels": labels, "window_seconds": 0.01, "hop_seconds": 0.01}
    pipeline = load(mean_graph(["n", "t"], np.linspace(-1, 1, 1_000).tolist()), **spec)
    short = pipeline.analyze(clip(np.full(RATE, 0.5)))
    assert not short.abridged
    assert len(short.windows[0].scores) == 1_000
    found = pipeline.analyze(clip(np.full(6 * RATE, 0.5)))
    assert found.abridged
    assert list(found.windows[0].scores) == [f"label {index}" for index in range(999, 999 - TOP, -1)]
    assert found.windows[0].label == "label 999"
    assert len(found.scores) == 1_000
    assert any("best labels" in warning for warning in found.warnings)
