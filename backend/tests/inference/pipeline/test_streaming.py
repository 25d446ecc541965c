"""Every preset either scores a stream as it scores the file, or refuses it and names the field that prevents it."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from understudy.audio.features.item_shape import measure_feature_shape
from understudy.engine.local_stream import LocalStream
from understudy.engine.scheduling.step_watch import NoWatch
from understudy.engine.scheduling.worker_pool import WorkerPool
from understudy.errors import AudioUnusable, NotForAudio
from understudy.inference.pipeline.pipeline import Pipeline
from understudy.inference.pipeline.stream_support import find_stream_obstacle
from understudy.presets.presets import list_presets
from understudy.schemas.compiler.spec import InputKind, PartialSpec, Spec
from understudy.schemas.inference.stream import StreamedWindow, StreamStart

RATE = 44_100
PIECES = (4_411, 1, 12_345, 997)
PRESETS = [preset.name for preset in list_presets()]
STREAMED = ("birdnet-waveform", "vggish", "waveform", "yamnet", "yamnet-patches")
WINDOWS: dict[str, Any] = {"window_seconds": 0.5, "hop_seconds": 0.25}
# A change of a preset, and the field that prevents the stream.
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    *((name, {}, "window_seconds") for name in PRESETS if name not in STREAMED),
    ("waveform", {"sound": {"offset": 0.7}}, "sound.offset"),
    ("waveform", {"sound": {"duration": 2.0}}, "sound.duration"),
    ("waveform", {"sound": {"trim": {}}}, "sound.trim"),
    ("waveform", {"sound": {"gain": "peak"}}, "sound.gain"),
    ("waveform", {"sound": {"length": {"seconds": 2.0}}}, "sound.length"),
    ("librosa-0.9-mfcc40-mean", WINDOWS, "sound.resampler"),
    *(
        ("waveform", {"sound": {"resampler": resampler}}, "sound.resampler")
        for resampler in ("fourier", "fourier_librosa", "linear_ends", "kaiser_best_resampy_2")
    ),
]
# Changes of a preset with which it scores a stream.
CHANGES: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in STREAMED),
    *((name, WINDOWS) for name in PRESETS if "mfcc" in name and "0." not in name),
    ("yamnet-mean-embedding", {"window_seconds": 1.0, "hop_seconds": 0.5}),
    ("librosa-mfcc40-mean", WINDOWS | {"tail": "keep"}),
    ("librosa-statistics", WINDOWS | {"tail": "drop"}),
    ("waveform", {"sound": {"round_to_16_bit": True, "channels": "first"}}),
    ("waveform", {"sample_rate": "file"}),
    *(
        ("waveform", {"sound": {"resampler": resampler}})
        for resampler in ("kaiser_best", "kaiser_fast", "polyphase", "linear", "tfio", "torchaudio")
    ),
]


@pytest.fixture(scope="module")
def sound() -> NDArray[np.float32]:
    """Four seconds of noise that becomes louder."""
    noise = np.random.default_rng(5).standard_normal(RATE * 4)
    return np.asarray(0.2 * noise * np.linspace(0.05, 1, len(noise)), np.float32)


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    pool = WorkerPool(1)
    yield pool
    pool.close()


def complete(preset: str, changes: dict[str, Any]) -> Spec:
    document = PartialSpec.model_validate({"preset": preset, "labels": ("a", "b")} | changes).to_document()
    windows = {name: document.get(name) for name in ("window_seconds", "hop_seconds")}
    return Spec.model_validate({"labels_named": True, "activation": "none"} | document | windows)


@pytest.fixture
def build(load: Any, graph: Any, backbone: Any) -> Any:
    """A pipeline of a preset with changes; its model scores the mean of the squares of its input."""

    def make(preset: str, changes: dict[str, Any]) -> Pipeline:
        spec = complete(preset, changes)
        item = {
            InputKind.WAVEFORM: ("t",),
            InputKind.LOG_MEL_PATCH: (96, 64),
            InputKind.EMBEDDING: (1024 * len(spec.pooling.statistics or (0,)) if spec.pooling else 1024,),
            InputKind.SCORES: (521,),
        }.get(spec.input) or tuple("t" if size is None else size for size in measure_feature_shape(spec))
        body = graph(
            {"x": ["n", *item]},
            {"y": ["n", 2]},
            [
                ("Mul", ["x", "x"], ["squares"], {}),
                ("ReduceMean", ["squares", "axes"], ["mean"], {"keepdims": 0}),
                ("Unsqueeze", ["mean", "last"], ["column"], {}),
                ("Mul", ["column", "weights"], ["y"], {}),
            ],
            {
                "axes": np.arange(1, len(item) + 1),
                "last": np.array([1]),
                "weights": np.array([[1.0, 0.5]], np.float32),
            },
        )
        probe = {"x": np.ones([2, *(3 if size == "t" else int(size) for size in item)], np.float32)}
        pipeline: Pipeline = load(
            body, probe=probe, backbone=backbone, **spec.model_dump(mode="json", exclude={"backbone"})
        )
        return pipeline

    return make


def stream(
    pipeline: Pipeline, pool: WorkerPool, samples: NDArray[np.float32], rate: int = RATE
) -> list[StreamedWindow]:
    """Return the windows of `samples` sent in pieces of odd sizes."""
    scorer = LocalStream(pipeline, StreamStart(sample_rate=rate, encoding="float32"), pool, NoWatch())

    async def send() -> list[StreamedWindow]:
        windows, at, turn = [], 0, 0
        while at < len(samples):
            piece = samples[at : at + PIECES[turn % len(PIECES)]]
            windows += await scorer.push(piece.tobytes())
            at, turn = at + len(piece), turn + 1
        return [*windows, *await scorer.finish()]

    return asyncio.run(send())


@pytest.mark.parametrize(("preset", "changes"), CHANGES, ids=str)
def test_a_stream_has_the_scores_of_the_file(
    build: Any, clip: Any, pool: WorkerPool, sound: NDArray[np.float32], preset: str, changes: dict[str, Any]
) -> None:
    pipeline = build(preset, changes)
    expected = pipeline.analyze(clip(sound, RATE)).windows
    windows = stream(pipeline, pool, sound)
    assert len(windows) == len(expected) > 1
    for window, other in zip(windows, expected, strict=True):
        assert (window.start, window.label) == (other.start, other.label)
        assert window.end == pytest.approx(other.end, abs=1e-4)
        assert window.scores == pytest.approx(other.scores, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(("preset", "changes", "field"), REFUSED, ids=str)
def test_a_stream_is_refused_by_the_field_that_needs_the_whole_recording(
    build: Any, pool: WorkerPool, preset: str, changes: dict[str, Any], field: str
) -> None:
    pipeline = build(preset, changes)
    with pytest.raises(NotForAudio, match=re.escape(f"`{field}`")) as caught:
        stream(pipeline, pool, np.zeros(10, np.float32))
    assert "/api/v1/predict" in caught.value.remedy
    obstacle = find_stream_obstacle(pipeline.spec.sound, pipeline.spec.window_seconds, resampled=True)
    assert obstacle is not None
    assert obstacle.field == field


def test_a_stream_at_the_models_rate_needs_no_resampler(
    build: Any, clip: Any, pool: WorkerPool, sound: NDArray[np.float32]
) -> None:
    pipeline = build("waveform", {"sound": {"resampler": "fourier"}})
    expected = pipeline.analyze(clip(sound, 16_000)).windows
    scores = [window.scores for window in stream(pipeline, pool, sound, 16_000)]
    assert scores == [pytest.approx(window.scores, rel=1e-5) for window in expected]


def test_a_stream_without_samples_has_no_windows(build: Any, pool: WorkerPool) -> None:
    assert stream(build("waveform", {}), pool, np.zeros(0, np.float32)) == []


def test_documentation_says_which_presets_stream() -> None:
    page = (Path(__file__).parents[4] / "docs" / "audio.md").read_text("utf-8")
    rows = []
    for name in PRESETS:
        spec = complete(name, {})
        obstacle = find_stream_obstacle(spec.sound, spec.window_seconds, resampled=True)
        sound = find_stream_obstacle(spec.sound, 1.0, resampled=True)
        found = [f"no: `{fault.field}`" for fault in (obstacle,) if fault]
        found += [f"also with windows: `{fault.field}`" for fault in (sound,) if fault and fault != obstacle]
        rows.append(f"| `{name}` | {'; '.join(found) or 'yes'} |")
    assert "\n".join(rows) in page


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_samples_that_are_no_sound_are_silence_and_named_in_their_windows(
    build: Any, pool: WorkerPool, value: float
) -> None:
    sound = np.asarray(0.1 * np.random.default_rng(2).standard_normal(16_000 * 3), np.float32)
    spoiled, silenced = sound.copy(), sound.copy()
    spoiled[20_000:20_200], silenced[20_000:20_200] = value, 0
    pipeline = build("waveform", {"window_seconds": 1.0, "hop_seconds": 0.5})
    windows, expected = (stream(pipeline, pool, each, 16_000) for each in (spoiled, silenced))
    assert [window.scores for window in windows] == [window.scores for window in expected]
    for window in windows:
        findings = window.findings
        assert [finding.code for finding in findings] == ["gap"] * (window.start < 1.2625 and window.end > 1.25)
        for finding in findings:
            assert (finding.start, finding.end) == (1.25, 1.2625)


@pytest.mark.parametrize(
    ("value", "said"), [(np.nan, "only samples that are infinite"), (20_000.0, "times full scale")]
)
@pytest.mark.parametrize("seconds", [0.1, 11.0])
def test_a_stream_of_no_sound_or_of_another_scale_ends_with_an_error(
    build: Any, pool: WorkerPool, value: float, said: str, seconds: float
) -> None:
    pipeline = build("waveform", {"window_seconds": 1.0, "hop_seconds": 0.5})
    scorer = LocalStream(pipeline, StreamStart(sample_rate=16_000, encoding="float32"), pool, NoWatch())
    samples = np.full(round(16_000 * seconds), value, np.float32)

    async def send() -> None:
        await scorer.push(samples.tobytes())
        if seconds < 10:
            await scorer.finish()

    with pytest.raises(AudioUnusable, match=said):
        asyncio.run(send())


def test_one_loud_message_at_the_start_ends_no_stream(build: Any, pool: WorkerPool) -> None:
    pipeline = build("waveform", {"window_seconds": 1.0, "hop_seconds": 0.5})
    sound = np.zeros(16_000 * 11, np.float32)
    sound[:800] = 1e30
    assert len(stream(pipeline, pool, sound, 16_000)) > 20


def test_a_stream_whose_channels_cancel_is_scored_by_one_of_them_and_says_so(build: Any, pool: WorkerPool) -> None:
    """Flipping the sign changes no score of this model, so the stream scores as its left channel alone does."""
    left = np.asarray(0.1 * np.random.default_rng(1).standard_normal(16_000 * 3), np.float32)
    pipeline = build("waveform", {"window_seconds": 1.0, "hop_seconds": 0.5})
    alone = stream(pipeline, pool, left, 16_000)

    async def send() -> list[Any]:
        start = StreamStart.model_validate({"sample_rate": 16_000, "encoding": "float32", "channels": 2})
        session = LocalStream(pipeline, start, pool, NoWatch())
        both = np.stack([left, -0.9 * left], axis=1)
        pieces = [both[at : at + 1_600].tobytes() for at in range(0, len(both), 1_600)]
        return [window for piece in pieces for window in await session.push(piece)] + await session.finish()

    windows = asyncio.run(send())
    assert [window.scores for window in windows] == [pytest.approx(window.scores, abs=1e-6) for window in alone]
    for window in windows:
        [finding] = window.findings
        assert (finding.code, finding.start, finding.end) == ("channels_cancel", window.start, window.end)
        assert "channel 1 of 2" in finding.detail
