"""The front end against its description, computed slowly in double precision."""

from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

from understudy.audio.features.log_mel import (
    LogMel,
    build_hann_window,
    build_mel_matrix,
    compute_log_mel,
)
from understudy.audio.features.patches import PatchStream

RATE = 16_000


def described(waveform: Any) -> Any:
    """README of shared/data, line by line: frames, window, |rfft|, mel, log."""
    window = np.array([0.5 - 0.5 * np.cos(2 * np.pi * n / 400) for n in range(400)])
    mel = described_mel()
    frames = []
    for start in range(0, len(waveform) - 399, 160):
        magnitude = np.abs(np.fft.rfft(waveform[start : start + 400].astype(np.float64) * window, 512))
        frames.append(np.log(magnitude @ mel + 0.001))
    return np.array(frames).reshape(-1, 64)


def described_mel() -> Any:
    edges = np.linspace(1127 * np.log(1 + 125 / 700), 1127 * np.log(1 + 7500 / 700), 66)
    matrix = np.zeros((257, 64))
    for index in range(1, 257):
        mel = 1127 * np.log(1 + index * 31.25 / 700)
        for band in range(64):
            rise = (mel - edges[band]) / (edges[band + 1] - edges[band])
            fall = (edges[band + 2] - mel) / (edges[band + 2] - edges[band + 1])
            matrix[index, band] = max(0.0, min(rise, fall))
    return matrix


@pytest.fixture(scope="module")
def sounds() -> dict[str, Any]:
    time = np.arange(RATE) / RATE
    random = np.random.default_rng(1)
    return {
        "noise": random.uniform(-1, 1, RATE).astype(np.float32),
        "full-scale tone": np.sin(2 * np.pi * 440 * time).astype(np.float32),
        "sweep": np.sin(2 * np.pi * 7000 * time**2 / 2).astype(np.float32),
        "clicks": (random.random(RATE) < 1e-3).astype(np.float32),
        "quiet": random.normal(0, 1e-5, RATE).astype(np.float32),
        "silence": np.zeros(RATE, np.float32),
    }


def test_features_equal_the_description_to_1e_5(sounds: dict[str, Any]) -> None:
    for name, sound in sounds.items():
        features = compute_log_mel(sound)
        assert features.dtype == np.float32
        assert features.shape == (98, 64)
        assert np.abs(features - described(sound)).max() < 1e-5, name


def test_features_of_a_recording_equal_the_description_to_1e_5(data_dir: Any) -> None:
    for path in sorted((data_dir / "esc10").glob("*/2-*.ogg"))[::40]:
        sound, rate = soundfile.read(path, dtype="float32")
        sound = soxr.resample(sound[: rate * 2], rate, RATE)
        assert np.abs(compute_log_mel(sound) - described(sound)).max() < 1e-5, path.name


def test_mel_matrix_and_window_are_those_of_the_weights(data_dir: Any) -> None:
    weights = np.load(data_dir / "yamnet" / "yamnet.npz")
    np.testing.assert_allclose(build_mel_matrix(), weights["frontend/mel_matrix"], atol=1e-5)
    np.testing.assert_allclose(build_hann_window(), weights["frontend/window"], atol=3e-7)


@pytest.mark.parametrize("length", [0, 1, 399, 400, 559, 560, 15_600, 16_000])
def test_a_frame_needs_all_its_samples(length: int) -> None:
    assert compute_log_mel(np.zeros(length, np.float32)).shape == (max(0, (length - 400) // 160 + 1), 64)


@pytest.mark.parametrize("piece", [1, 159, 160, 401, 7_777])
def test_pieces_give_the_frames_of_the_whole(sounds: dict[str, Any], piece: int) -> None:
    sound = sounds["sweep"][: 4_000 if piece == 1 else None]
    stream = LogMel()
    pieces = [stream.push(sound[start : start + piece]) for start in range(0, len(sound), piece)]
    np.testing.assert_allclose(np.concatenate(pieces), compute_log_mel(sound), atol=1e-6)


def yamnet_padded(sound: Any) -> Any:
    """pad_waveform of YAMNet's features.py."""
    extra = max(0, len(sound) - 15_600)
    return np.pad(sound, (0, 15_600 + -(-extra // 7_680) * 7_680 - len(sound)))


@pytest.mark.parametrize("length", [1, 160, 15_599, 15_600, 15_601, 23_280, 23_281, 80_000])
@pytest.mark.parametrize("piece", [977, 80_000])
def test_patches_are_those_of_the_padded_whole(length: int, piece: int) -> None:
    sound = np.random.default_rng(length).uniform(-1, 1, length).astype(np.float32)
    frames = compute_log_mel(yamnet_padded(sound))
    expected = [frames[start : start + 96] for start in range(0, len(frames) - 95, 48)]
    stream = PatchStream()
    patches = [found for start in range(0, length, piece) for found in stream.push(sound[start : start + piece])]
    patches += stream.finish()
    assert [start for start, _ in patches] == pytest.approx([0.48 * index for index in range(len(expected))])
    np.testing.assert_allclose(np.array([patch for _, patch in patches]), np.array(expected), atol=1e-6)
