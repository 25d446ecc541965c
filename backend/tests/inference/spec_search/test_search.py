"""The spec of a model is found by the answers of its author's script."""

import io
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.inference.conftest import report
from understudy.audio.opening import AudioLimits, open_clip
from understudy.compiler.spec_resolution import complete, resolve
from understudy.inference.pipeline.pipeline import Pipeline
from understudy.inference.runtime.onnx_session import build_session
from understudy.inference.spec_search.changes import Change, set_field
from understudy.inference.spec_search.comparison import Comparison
from understudy.inference.spec_search.search import ExampleClip, SearchResult, SpecSearch
from understudy.schemas.compiler.report import TensorSignature
from understudy.schemas.compiler.spec import InputKind, OutputActivation, PartialSpec, Spec
from understudy.schemas.registry.examples import Expectation

LABELS = ("calm", "rain", "scream")
LIMITS = AudioLimits(60.0)
WIDTH = 13
BANDS = 64
RATE = 44_100


def build_head(graph: Any, width: int) -> bytes:
    """Return a linear head with softmax on `width` values."""
    weights = np.random.default_rng(3).standard_normal((width, len(LABELS))).astype(np.float32) / 300
    body: bytes = graph(
        {"x": ["n", width]},
        {"y": ["n", len(LABELS)]},
        [("MatMul", ["x", "w"], ["z"], {}), ("Softmax", ["z"], ["y"], {})],
        {"w": weights},
    )
    return body


@pytest.fixture(scope="module")
def head(graph: Any) -> bytes:
    return build_head(graph, WIDTH)


@pytest.fixture(scope="module")
def wide_head(graph: Any) -> bytes:
    """A head on two statistics of 64 bands."""
    return build_head(graph, 2 * BANDS)


@pytest.fixture(scope="module")
def clips() -> list[bytes]:
    """Three short recordings at 44.1 kHz, each with a quiet end: noise, a tone and a chirp."""
    time = np.arange(RATE // 5) / RATE
    noise = np.random.default_rng(1).standard_normal(len(time))
    sounds = [0.1 * noise, 0.5 * np.sin(2 * np.pi * 440 * time), 0.3 * np.sin(2 * np.pi * (200 + 3_000 * time) * time)]
    sounds = [np.concatenate([sound, 0.002 * noise[: RATE // 10]]) for sound in sounds]
    files = []
    for sound in sounds:
        body = io.BytesIO()
        soundfile.write(body, sound, RATE, format="WAV", subtype="PCM_16")
        files.append(body.getvalue())
    return files


def make_search(head: bytes, width: int = WIDTH, extra: Sequence[Change] = ()) -> tuple[SpecSearch, Any]:
    """Return the search for the head, and a function that loads the head with a spec."""
    session = build_session(head)
    spec = Spec(input=InputKind.TENSOR, labels=LABELS, labels_named=True, activation=OutputActivation.SOFTMAX)
    compiled = report(spec, OutputActivation.SOFTMAX, None).model_copy(
        update={
            "inputs": (TensorSignature(name="x", dtype="float32", shape=(None, width)),),
            "outputs": (TensorSignature(name="y", dtype="float32", shape=(None, len(LABELS))),),
        }
    )
    probes = {"in.x": np.ones((2, width), np.float32), "out.y": np.ones((2, len(LABELS)), np.float32)}
    fixed = PartialSpec(labels=LABELS)

    def complete_quickly(given: PartialSpec) -> Spec:
        return complete(fixed.over(given), compiled.inputs, compiled.outputs, compiled.graph_activation)

    def complete_and_check(given: PartialSpec) -> Spec:
        return resolve(fixed.over(given), PartialSpec(), compiled.inputs, compiled.outputs, compiled.graph_activation)

    def load(document: dict[str, Any]) -> Pipeline:
        resolved = complete_and_check(PartialSpec.model_validate(document))
        return Pipeline(compiled.model_copy(update={"spec": resolved}), session, probes, None, 60.0)

    search = SpecSearch(
        compiled,
        session,
        probes,
        None,
        complete_quickly,
        complete_and_check,
        labels=LABELS,
        limits=LIMITS,
        max_whole_clip_seconds=60.0,
        extra_changes=extra,
    )
    return search, load


def answer(pipeline: Pipeline, clips: list[bytes]) -> list[ExampleClip]:
    """Return the clips with the answers of a pipeline as examples."""
    examples = []
    for index, clip in enumerate(clips):
        with open_clip(io.BytesIO(clip), LIMITS) as opened:
            found = pipeline.analyze(opened)
        examples.append((clip, Expectation(file=f"{index}.wav", label=found.label, scores=found.scores)))
    return examples


def run(
    head: bytes, clips: list[bytes], truth: dict[str, Any], seconds: float = 120.0, width: int = WIDTH
) -> SearchResult:
    search, load = make_search(head, width)
    return search.run(answer(load(truth), clips), seconds, lambda _tried, _best: None)


def test_a_preset_that_gives_the_answers_is_found_without_changes(head: bytes, clips: list[bytes]) -> None:
    result = run(head, clips, {"preset": "librosa-mfcc13-mean"})
    assert result.best[0].agrees
    assert result.best[0].steps == ("librosa-mfcc13-mean",)
    assert result.best[0].difference < 1e-5


def test_other_parameters_than_a_presets_are_found_one_by_one(head: bytes, clips: list[bytes]) -> None:
    truth = {"preset": "librosa-mfcc13-mean", "sample_rate": 16_000, "sound": {"resampler": "kaiser_fast"}}
    result = run(head, clips, truth)
    best = result.best[0]
    assert (best.agrees, best.agreed) == (True, len(clips))
    assert best.difference < 1e-3
    assert best.document["sample_rate"] == 16_000


def test_choices_that_depend_on_each_other_are_found_together(wide_head: bytes, clips: list[bytes]) -> None:
    part = {
        "kind": "log_mel",
        "stft": {"n_fft": 1024, "hop_length": 256},
        "mel": {"n_mels": BANDS},
        "compression": {"kind": "decibels", "ref": "max"},
    }
    truth = {
        "front_end": [part],
        "sample_rate": 16_000,
        "sound": {"trim": {"top_db": 30}},
        "pooling": "mean+std",
        "window_seconds": None,
    }
    best = run(wide_head, clips, truth, width=2 * BANDS).best[0]
    assert best.agrees
    assert best.difference < 1e-5
    assert best.steps[1].startswith("sound.trim")


def test_a_scaler_beside_the_model_is_tried_with_every_start(head: bytes, clips: list[bytes]) -> None:
    numbers = {"kind": "per_feature", "mean": [-300.0, *[20.0] * 12], "std": [0.1] * WIDTH}
    scaler = Change("arrangement.standardize", "by scaler.json", partial(set_field, "arrangement.standardize", numbers))
    search, load = make_search(head, extra=[scaler])
    truth = scaler.apply({"preset": "librosa-mfcc13-mean"})
    best = search.run(answer(load(truth), clips), 60.0, lambda _tried, _best: None).best[0]
    assert (best.agrees, best.steps) == (True, ("librosa-mfcc13-mean", "by scaler.json"))


def test_scores_of_one_output_are_told_apart_where_they_are_near_0() -> None:
    """Scores of 0.001 and 0.0001 differ by little, and features that give them by much."""
    spec = Spec(input=InputKind.TENSOR, labels=LABELS, labels_named=True, activation=OutputActivation.SOFTMAX)
    comparison = Comparison([Expectation(file="a.wav", scores={"rain": 0.999, "calm": 0.001})], LABELS)
    near, far = (comparison.measure(spec, [0], np.array([[calm, 0.999, 0.0]], np.float32)) for calm in (0.0011, 0.0001))
    assert (near.agreed, far.agreed) == (1, 1)
    assert far.distance > 10 * near.distance


def test_a_clip_of_which_only_the_label_is_known_counts_its_score() -> None:
    spec = Spec(input=InputKind.TENSOR, labels=LABELS, labels_named=True, activation=OutputActivation.SOFTMAX)
    comparison = Comparison([Expectation(file="a.wav", label="rain")], LABELS)
    sure, unsure, wrong = (
        comparison.measure(spec, [0], np.array([row], np.float32))
        for row in ([0.01, 0.98, 0.01], [0.3, 0.4, 0.3], [0.6, 0.3, 0.1])
    )
    assert sure.distance < unsure.distance < wrong.distance
    assert [each.difference for each in (sure, unsure, wrong)] == [0, 0, 1]


def test_a_search_that_has_no_time_says_so(head: bytes, clips: list[bytes]) -> None:
    result = run(head, clips, {"preset": "librosa-mfcc13-mean"}, seconds=0.0)
    assert (result.out_of_time, result.best, result.tried) == (True, (), 0)


def test_examples_that_no_spec_gives_are_not_claimed(head: bytes, clips: list[bytes]) -> None:
    search, _ = make_search(head)
    impossible = [
        (clip, Expectation(file=f"{index}.wav", scores={"calm": 0.9, "rain": 0.9, "scream": 0.9}))
        for index, clip in enumerate(clips)
    ]
    result = search.run(impossible, 1.0, lambda _tried, _best: None)
    assert result.best
    assert not result.best[0].agrees
    assert result.best[0].difference > 0.1
