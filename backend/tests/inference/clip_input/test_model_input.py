"""The windows that a spec and a graph agree on, and what the phases cost."""

import time
from typing import Any

import numpy as np
import pytest

from understudy.audio.features.log_mel import compute_log_mel
from understudy.errors import SpecInvalid
from understudy.inference.clip_input.model_input import choose_model_input
from understudy.inference.clip_input.yamnet_backbone import YamnetFrontEnd
from understudy.inference.pipeline.stopwatch import Stopwatch
from understudy.inference.runtime.tensor_signature import GraphTensor
from understudy.schemas.compiler.spec import OutputActivation, Spec

FLOAT = np.dtype(np.float32)


def spec(kind: str, **changes: Any) -> Spec:
    return Spec.model_validate(
        {"input": kind, "labels": ("a",), "labels_named": True, "activation": OutputActivation.NONE} | changes
    )


@pytest.mark.parametrize(
    ("kind", "shape", "changes", "expected"),
    [
        ("waveform", (None, None), {"window_seconds": 1.0, "hop_seconds": None}, (16_000, 16_000)),
        ("waveform", (None, 8_000), {"window_seconds": None, "hop_seconds": None}, (8_000, 8_000)),
        ("waveform", (None, None), {"window_seconds": None, "hop_seconds": None}, (None, 1)),
        ("waveform", (None, None), {"window_seconds": 1e-9, "hop_seconds": 1e-9}, (1, 1)),
        ("waveform", (None, None), {"sample_rate": 8_000, "hop_seconds": 0.25}, (7_680, 2_000)),
        ("log_mel_patch", (None, 96, 64), {"hop_seconds": None}, (96, 48)),
        ("log_mel_patch", (None, 50, 64), {"window_seconds": None, "hop_seconds": None}, (50, 50)),
        ("log_mel_patch", (None, None, 64), {"window_seconds": 2.0, "hop_seconds": 1.0}, (200, 100)),
        ("embedding", (None, 1024), {"hop_seconds": None}, (96, 48)),
        ("scores", (None, 521), {"hop_seconds": 0.96}, (96, 96)),
    ],
)
def test_size_and_hop_come_from_graph_and_spec(
    kind: str, shape: tuple[int | None, ...], changes: dict[str, Any], expected: tuple[int | None, int]
) -> None:
    taken = choose_model_input(spec(kind, **changes), GraphTensor("x", FLOAT, shape), YamnetFrontEnd())
    framing = taken.framing
    assert (taken.grouped, taken.layout.batch) == (False, None)
    steps = (framing.rate or 0) if kind == "waveform" else 100
    assert framing.hop_seconds == expected[1] / steps
    assert framing.window_seconds == (None if expected[0] is None else expected[0] / steps)


@pytest.mark.parametrize(
    ("given", "tensor", "words"),
    [
        (spec("tensor"), GraphTensor("x", FLOAT, (None, 4)), "^A tensor model takes no audio"),
        (
            spec("waveform"),
            GraphTensor("x", np.dtype(np.int16), (None, None)),
            r"input x \[\?, \?\] is not of floating",
        ),
        (spec("waveform"), GraphTensor("x", None, (None, None)), "is not of floating point"),
        (
            spec("log_mel_patch"),
            GraphTensor("x", FLOAT, (None, 64, 96)),
            r"does not take items of \[\?, 64\], alone or in",
        ),
        (
            spec("waveform"),
            GraphTensor("x", FLOAT, (None, 16_000)),
            "windows of 16000 steps of 1/16000 s, .* has 15360",
        ),
    ],
)
def test_an_input_that_audio_does_not_fit_is_refused(given: Spec, tensor: GraphTensor, words: str) -> None:
    with pytest.raises(SpecInvalid, match=words):
        choose_model_input(given, tensor)


def test_a_refused_window_names_the_one_that_fits() -> None:
    with pytest.raises(SpecInvalid) as caught:
        choose_model_input(spec("waveform"), GraphTensor("x", FLOAT, (None, 16_000)))
    assert caught.value.remedy == "Set `window_seconds` to 1 in the spec, or leave it out."


def test_a_whole_clip_gets_the_frames_of_its_samples_and_no_more(load: Any, mean_graph: Any, clip: Any) -> None:
    probe = {"x": np.ones((1, 96, 64), np.float32)}
    pipeline = load(
        mean_graph(["n", "f", 64], [1.0]), probe=probe, input="log_mel_patch", labels=("a",), window_seconds=None
    )
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, 559).astype(np.float32)
    frames = compute_log_mel(sound)
    assert len(frames) == 1
    assert pipeline.analyze(clip(sound)).window_scores[0, 0] == pytest.approx(frames.mean(), abs=1e-4)


def test_phases_add_up_in_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([0, 2_000_000, 5_000_000, 6_500_000])
    monkeypatch.setattr(time, "perf_counter_ns", lambda: next(ticks))
    watch = Stopwatch()
    for _ in range(2):
        with watch.measure("decode"):
            pass
    watch.add("inference", 0.25)
    times = watch.to_phase_times()
    assert (times.decode, times.features, times.inference) == (3.5, 0.0, 250.0)
