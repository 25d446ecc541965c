"""The steps from a recording to the samples that features are computed from."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scripts.originals.record_sound import thin_out
from scripts.originals.sound_signals import make_event, make_sweep
from understudy.audio.sound.preparation import prepare_sound
from understudy.errors import AudioUnusable
from understudy.schemas.front_end.sound import Resampler, Sound

GOLDEN = Path(__file__).parent / "golden"
SIGNAL = np.arange(1, 11, dtype=np.float32)


def prepare(samples: Any, **steps: Any) -> list[float]:
    """Return the samples at 10 Hz after `steps`."""
    prepared, rate = prepare_sound(np.asarray(samples, np.float32), 10, Sound.model_validate(steps), None)
    assert rate == 10
    assert prepared.dtype == np.float32
    return [float(value) for value in prepared]


@pytest.mark.parametrize(
    ("original", "method", "resampler"),
    [
        ("librosa_0.9", "kaiser_fast", Resampler.KAISER_FAST_RESAMPY_2),
        ("librosa_0.10", "kaiser_fast", Resampler.KAISER_FAST),
        ("librosa_0.11", "kaiser_fast", Resampler.KAISER_FAST),
        ("librosa_0.11", "soxr_hq", Resampler.SOXR_HQ),
    ],
)
def test_clip_is_that_of_librosa_load(original: str, method: str, resampler: Resampler) -> None:
    left = make_sweep(44100, 2.0)
    mono = np.stack([left, left[::-1]], axis=1).mean(axis=1)
    sound = Sound(offset=0.30001, duration=1.00001, resampler=resampler)
    samples, rate = prepare_sound(mono, 44100, sound, 16000)
    with np.load(GOLDEN / f"{original}.npz") as golden:
        assert len(samples) == golden[f"load {method} length"]
        np.testing.assert_allclose(thin_out(samples), golden[f"load {method}"], rtol=0, atol=5e-6)
    assert rate == 16000


@pytest.mark.parametrize("original", ["librosa_0.9", "librosa_0.10", "librosa_0.11"])
@pytest.mark.parametrize(("top_db", "frame", "hop"), [(60, 2048, 512), (20, 2048, 512), (30, 511, 100)])
def test_trim_cuts_where_librosa_cuts(original: str, top_db: int, frame: int, hop: int) -> None:
    event = make_event(22050)
    sound = Sound.model_validate({"trim": {"top_db": top_db, "frame_length": frame, "hop_length": hop}})
    samples, _ = prepare_sound(event, 22050, sound, None)
    with np.load(GOLDEN / f"{original}.npz") as golden:
        start, end = golden[f"trim {top_db} {frame} {hop}"]
    np.testing.assert_array_equal(samples, event[start:end])


def test_trim_leaves_silence_whole() -> None:
    assert len(prepare(np.zeros(5000), trim={})) == 5000
    assert len(prepare([0.0] * 3, trim={"frame_length": 101})) == 3


def test_offset_and_duration_are_cut_at_the_recordings_rate() -> None:
    assert prepare(SIGNAL, offset=0.29, duration=0.39) == [3, 4, 5]
    assert prepare(SIGNAL, duration=50.0) == list(SIGNAL)


@pytest.mark.parametrize("steps", [{"offset": 1.0}, {"offset": 5.0, "duration": 1.0}, {"duration": 0.05}])
def test_cut_that_leaves_nothing_is_refused(steps: dict[str, float]) -> None:
    with pytest.raises(AudioUnusable, match=r"lasts 1\.000 s") as error:
        prepare(SIGNAL, **steps)
    assert "sound.offset" in error.value.remedy


def test_resampling_to_no_sample_is_refused() -> None:
    with pytest.raises(AudioUnusable, match="too short"):
        prepare_sound(SIGNAL[:1], 44100, Sound(resampler=Resampler.LINEAR), 8000)


def test_samples_are_rounded_to_16_bits() -> None:
    values = prepare([0.4 / 32768, 0.6 / 32768, -1.0, 1.0], round_to_16_bit=True)
    assert values == [0.0, 1 / 32768, -1.0, 32767 / 32768]


@pytest.mark.parametrize(
    ("gain", "level", "expected"),
    [("none", 1.0, [0.5, -0.25]), ("peak", 0.9, [0.9, -0.45]), ("rms", 0.1, [0.12649111, -0.06324555])],
)
def test_gain_brings_the_clip_to_a_level(gain: str, level: float, expected: list[float]) -> None:
    assert prepare([0.5, -0.25], gain=gain, gain_level=level) == pytest.approx(expected, rel=1e-6)
    assert prepare([0.0, 0.0], gain=gain, gain_level=level) == [0.0, 0.0]


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        ({"samples": 13}, [*range(1, 11), 0, 0, 0]),
        ({"samples": 13, "pad": "start"}, [0, 0, 0, *range(1, 11)]),
        ({"samples": 13, "pad": "center"}, [0, *range(1, 11), 0, 0]),
        ({"samples": 23, "fill": "repeat"}, [*range(1, 11), *range(1, 11), 1, 2, 3]),
        ({"samples": 13, "fill": "reflect"}, [*range(1, 11), 9, 8, 7]),
        ({"samples": 12, "fill": "edge"}, [*range(1, 11), 10, 10]),
        ({"samples": 13, "pad": None}, [*range(1, 11)]),
        ({"samples": 7}, [*range(1, 8)]),
        ({"samples": 7, "cut": "start"}, [*range(4, 11)]),
        ({"samples": 7, "cut": "center"}, [*range(2, 9)]),
        ({"samples": 7, "cut": None}, [*range(1, 11)]),
        ({"seconds": 0.79}, [*range(1, 8)]),
    ],
)
def test_clip_gets_its_length(length: dict[str, object], expected: list[int]) -> None:
    assert prepare(SIGNAL, length=length) == expected


def test_length_of_no_whole_sample_is_refused() -> None:
    with pytest.raises(AudioUnusable, match=r"0\.01 s, which is no whole sample at 10 Hz"):
        prepare(SIGNAL, length={"seconds": 0.01})
