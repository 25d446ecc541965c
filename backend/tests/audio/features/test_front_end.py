"""Properties that every front end has, whatever its original is."""

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from understudy.audio.features.front_end import FrontEnd, join
from understudy.errors import AudioUnusable, SpecInvalid
from understudy.schemas.front_end.parts import ChromaCqtPart, Deltas, FrontEndPart, MelPart, MfccPart, StftPart
from understudy.schemas.front_end.spectrum import Decibels, Logarithm, MelBands, Stft, WindowShape

RATE = 16_000
PARTS = [
    {"kind": "stft"},
    {"kind": "mel"},
    {"kind": "log_mel"},
    {"kind": "log_mel", "stft": {"pad_mode": "reflect"}, "compression": {"kind": "log", "floor": 1e-6, "base": "10"}},
    {"kind": "mfcc", "deltas": {"mode": "nearest"}},
    {"kind": "speech_mfcc", "deltas": [2]},
    {"kind": "speech_log_filterbank"},
    {"kind": "chroma"},
    {"kind": "contrast"},
    {"kind": "chroma_cqt"},
    {"kind": "tonnetz", "chroma": {"kind": "chroma"}},
    {"kind": "tonnetz", "harmonic": True},
    {"kind": "rms"},
    {"kind": "zero_crossing_rate"},
    {"kind": "spectral_centroid"},
    {"kind": "spectral_bandwidth"},
    {"kind": "spectral_rolloff"},
    {"kind": "spectral_flatness"},
]
SOUNDS = {
    "one sample": np.ones(1, np.float32),
    "short": np.linspace(-1, 1, 37, dtype=np.float32),
    "silence": np.zeros(RATE, np.float32),
    "constant": np.ones(RATE // 2, np.float32),
    "full scale": np.sign(np.sin(np.arange(RATE))).astype(np.float32),
    "tiny": np.full(RATE // 4, 1e-38, np.float32),
}


def build(*parts: Any, rate: int = RATE) -> FrontEnd:
    adapter: TypeAdapter[FrontEndPart] = TypeAdapter(FrontEndPart)
    return FrontEnd([adapter.validate_python(part) for part in parts], rate)


def name_part(part: dict[str, Any]) -> str:
    return str(part["kind"])


@pytest.mark.parametrize("part", PARTS, ids=name_part)
@pytest.mark.parametrize("sound", SOUNDS)
def test_features_of_unusual_sounds_are_finite(part: Any, sound: str) -> None:
    (features,) = build(part).compute(SOUNDS[sound])
    assert np.isfinite(features).all()
    assert len(features) >= 1


@pytest.mark.parametrize("part", PARTS, ids=name_part)
def test_an_empty_clip_is_refused(part: Any) -> None:
    with pytest.raises(AudioUnusable):
        build(part).compute(np.zeros(0, np.float32))


@pytest.mark.parametrize("sound", ["silence", "constant", "full scale", "tiny"])
def test_kaldi_features_of_unusual_sounds_are_finite(sound: str) -> None:
    (features,) = build({"kind": "kaldi_fbank"}).compute(SOUNDS[sound])
    assert np.isfinite(features).all()


def test_a_clip_shorter_than_a_frame_of_kaldi_is_refused() -> None:
    with pytest.raises(AudioUnusable, match=r"399 samples.* needs 400"):
        build({"kind": "kaldi_fbank"}).compute(np.zeros(399, np.float32))


@pytest.mark.parametrize("part", PARTS, ids=name_part)
def test_the_samples_are_not_changed(part: Any) -> None:
    sound = np.random.default_rng(1).normal(size=3_000).astype(np.float32)
    before = sound.copy()
    front_end = build(part)
    first = front_end.compute(sound)[0].copy()
    np.testing.assert_array_equal(front_end.compute(sound)[0], first)
    np.testing.assert_array_equal(sound, before)


def test_parts_are_computed_together_as_alone() -> None:
    sound = np.random.default_rng(2).normal(size=9_000).astype(np.float32)
    together = build(*PARTS).compute(sound)
    assert len(together) == len(PARTS)
    for part, features in zip(PARTS, together, strict=True):
        (alone,) = build(part).compute(sound)
        np.testing.assert_allclose(features, alone, rtol=1e-3, atol=1e-3)


def test_frames_of_a_piece_are_those_of_the_whole() -> None:
    """Frames do not depend on the blocks in which a long clip is transformed."""
    sound = np.random.default_rng(3).normal(size=200 * 160 + 352).astype(np.float32)
    front_end = build({"kind": "mel", "stft": {"n_fft": 512, "hop_length": 160, "center": False}})
    (whole,) = front_end.compute(sound)
    assert len(whole) == 200
    for first in (0, 63, 150):
        (piece,) = front_end.compute(sound[first * 160 : first * 160 + 512])
        np.testing.assert_allclose(piece[0], whole[first], rtol=1e-5)


def test_a_long_clip_is_transformed_in_blocks_without_seams() -> None:
    sound = np.random.default_rng(4).normal(size=RATE * 5).astype(np.float32)
    stft = Stft(n_fft=2048, hop_length=256, center=False)
    (features,) = FrontEnd([StftPart(stft=stft)], RATE).compute(sound)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2048) / 2048)
    for frame in (0, 63, 64, 65, len(features) - 1):
        expected = np.abs(np.fft.rfft(sound[frame * 256 : frame * 256 + 2048] * window)) ** 2
        np.testing.assert_allclose(features[frame], expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("samples", [1, 159, 160, 161, 512, 513, 1_600])
def test_an_end_that_is_filled_up_gives_a_frame_for_each_begun_hop(samples: int) -> None:
    stft = {"n_fft": 512, "win_length": 400, "hop_length": 160, "align": "start", "center": False, "pad_end": True}
    (features,) = build({"kind": "stft", "stft": stft}).compute(np.ones(samples, np.float32))
    assert len(features) == -(-samples // 160)


def test_a_loud_tone_leaves_a_deep_logarithm_right() -> None:
    """A float32 transform fills the bands beside a tone with noise that a logarithm shows."""
    sound = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE).astype(np.float32)
    stft = Stft(center=False, window=WindowShape.BLACKMAN)
    (features,) = FrontEnd([StftPart(stft=stft, compression=Logarithm(floor=1e-20))], RATE).compute(sound)
    window = 0.42 - 0.5 * np.cos(2 * np.pi * np.arange(2048) / 2048) + 0.08 * np.cos(4 * np.pi * np.arange(2048) / 2048)
    exact = np.log(np.abs(np.fft.rfft(sound[:2048] * window)) ** 2)
    assert np.abs(features[0] - exact).max() < 1e-4 * np.ptp(exact)


@pytest.mark.parametrize(
    ("part", "detail"),
    [
        (MelPart(kind="mel", mel=MelBands(fmax=8_001, edges="mel")), "from 0 to 8001 Hz; at 16000 Hz"),
        (MelPart(kind="mel", mel=MelBands(fmin=8_000, fmax=9_000)), "from 8000 to 9000 Hz; at 16000 Hz"),
        (MelPart(kind="mel", mel=MelBands(fmin=8_000)), "from 8000 to 8000 Hz"),
        (MfccPart(n_mfcc=129), "129 MFCC of 128 mel bands"),
        ({"kind": "contrast", "n_bands": 7}, "begins at 12800 Hz, above half the sample rate 16000"),
        ({"kind": "contrast", "stft": {"n_fft": 64}, "fmin": 20}, "No bin of the spec's contrast"),
        ({"kind": "chroma_cqt", "n_octaves": 8}, "reaches 8[0-9]+ Hz, above half the sample rate 16000"),
        ({"kind": "speech_mfcc", "n_mfcc": 27}, "27 MFCC of 26 filters"),
        ({"kind": "speech_mfcc", "high_hz": 9_000}, "from 0 to 9000 Hz"),
        ({"kind": "speech_mfcc", "step_seconds": 1e-6}, "their step 0"),
        ({"kind": "kaldi_fbank", "high_hz": -8_000}, "from 20 to 0 Hz"),
        ({"kind": "kaldi_fbank", "high_hz": 9_000}, "from 20 to 9000 Hz"),
        ({"kind": "kaldi_fbank", "frame_length_ms": 0.1}, "have 1 samples"),
        ({"kind": "waveform"}, "waveform"),
        ({"kind": "yamnet"}, "yamnet"),
    ],
)
def test_a_part_that_does_not_fit_is_refused(part: Any, detail: str) -> None:
    with pytest.raises(SpecInvalid, match=detail):
        build(part)


def test_deltas_with_an_even_width_are_refused() -> None:
    with pytest.raises(ValidationError, match="even"):
        Deltas(width=8)


def test_chroma_of_parts_of_a_bin_is_refused() -> None:
    with pytest.raises(ValidationError, match="36 is no multiple of n_chroma 24"):
        ChromaCqtPart(n_chroma=24)


def test_decibels_end_top_db_below_the_maximum_of_the_clip() -> None:
    sound = np.concatenate([np.zeros(RATE), np.random.default_rng(5).normal(size=RATE)]).astype(np.float32)
    (features,) = FrontEnd([MelPart(kind="log_mel", compression=Decibels(top_db=30))], RATE).compute(sound)
    assert float(np.ptp(features)) == pytest.approx(30, abs=1e-4)


def test_parts_are_joined_side_by_side() -> None:
    joined = join([np.zeros((5, 2), np.float32), np.ones((5, 3), np.float32)])
    np.testing.assert_array_equal(joined, [[0, 0, 1, 1, 1]] * 5)


def test_parts_with_different_frames_are_refused() -> None:
    with pytest.raises(SpecInvalid, match=r"Part 1 .* 5 frames and part 3 has 4"):
        join([np.zeros((5, 2), np.float32), np.zeros((5, 2), np.float32), np.zeros((4, 2), np.float32)])
