"""Front ends against tf.signal and Keras's layers, which run here."""

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from understudy.audio.features.front_end import FrontEnd
from understudy.schemas.front_end.parts import FrontEndPart

pytestmark = pytest.mark.frameworks

RATE = 16_000
PART: TypeAdapter[FrontEndPart] = TypeAdapter(FrontEndPart)


@pytest.fixture(scope="module")
def tf() -> Any:
    return pytest.importorskip("tensorflow")


@pytest.fixture(scope="module")
def sounds() -> dict[str, Any]:
    random = np.random.default_rng(7)
    time = np.arange(RATE) / RATE
    return {
        "noise": random.normal(0, 0.1, 7_001).astype(np.float32),
        "tone": (0.5 * np.sin(2 * np.pi * 440 * time) + random.normal(0, 1e-3, RATE)).astype(np.float32),
        "silence": np.zeros(4_000, np.float32),
    }


def assert_equal(part: dict[str, Any], samples: Any, original: Any) -> None:
    (features,) = FrontEnd([PART.validate_python(part)], RATE).compute(samples)
    assert features.shape == original.shape
    extent = float(np.ptp(original)) or max(1.0, float(np.abs(original).max()))
    assert np.abs(features - original).max() / extent < 1e-4


@pytest.mark.parametrize("length", [400, 401])
@pytest.mark.parametrize("pad_end", [False, True])
def test_stft_equals_tf_signal(tf: Any, sounds: dict[str, Any], length: int, pad_end: bool) -> None:
    stft = {
        "n_fft": 512,
        "win_length": length,
        "hop_length": 160,
        "align": "start",
        "center": False,
        "pad_end": pad_end,
        "power": 1,
        "symmetric": length % 2 == 1,
    }
    for samples in sounds.values():
        original = tf.abs(tf.signal.stft(samples, length, 160, pad_end=pad_end)).numpy()
        assert_equal({"kind": "stft", "stft": stft}, samples, original)


def test_log_mel_and_mfcc_equal_tf_signal(tf: Any, sounds: dict[str, Any]) -> None:
    stft = {"n_fft": 1024, "hop_length": 256, "center": False, "power": 1}
    mel = {"n_mels": 80, "fmin": 80, "fmax": 7_600, "scale": "htk", "norm": "none", "edges": "mel"}
    log = {"kind": "log", "offset": 1e-6}
    weights = tf.signal.linear_to_mel_weight_matrix(80, 513, RATE, 80.0, 7_600.0)
    for samples in sounds.values():
        spectra = tf.abs(tf.signal.stft(samples, 1024, 256, 1024))
        bands = tf.math.log(tf.tensordot(spectra, weights, 1) + 1e-6)
        assert_equal({"kind": "log_mel", "stft": stft, "mel": mel, "compression": log}, samples, bands.numpy())
        mfcc = tf.signal.mfccs_from_log_mel_spectrograms(bands)[..., :13].numpy()
        part = {"kind": "mfcc", "stft": stft, "mel": mel, "compression": log, "n_mfcc": 13, "dct_norm": "htk"}
        assert_equal(part, samples, mfcc)


def test_log_mel_equals_the_layer_of_keras(sounds: dict[str, Any]) -> None:
    keras = pytest.importorskip("keras")
    layer = keras.layers.MelSpectrogram(
        fft_length=1024, sequence_length=800, sequence_stride=320, sampling_rate=RATE, num_mel_bins=64, max_freq=7_500
    )
    part = {
        "kind": "log_mel",
        "stft": {"n_fft": 1024, "win_length": 800, "hop_length": 320, "pad_mode": "reflect"},
        "mel": {"n_mels": 64, "fmin": 20, "fmax": 7_500, "scale": "htk", "norm": "none", "edges": "mel"},
    }
    for samples in sounds.values():
        assert_equal(part, samples, np.asarray(layer(samples)).T)
