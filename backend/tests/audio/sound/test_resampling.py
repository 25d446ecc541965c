"""Resampled samples equal those of the original packages, as scripts/originals/record_sound.py recorded them."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray
from scipy import signal

from scripts.originals.record_sound import PAIRS, SECONDS, thin_out
from scripts.originals.sound_signals import make_sweep
from understudy.audio.sound import windowed_sinc
from understudy.audio.sound.resampling import resample
from understudy.schemas.front_end.sound import Resampler

GOLDEN = Path(__file__).parent / "golden"
TOLERANCE = 5e-6

OLD = {
    "kaiser_best": Resampler.KAISER_BEST_RESAMPY_2,
    "kaiser_fast": Resampler.KAISER_FAST_RESAMPY_2,
    "soxr_hq": Resampler.SOXR_HQ,
    "polyphase": Resampler.POLYPHASE,
    "fft": Resampler.FOURIER_LIBROSA,
}
NEW = OLD | {"kaiser_best": Resampler.KAISER_BEST, "kaiser_fast": Resampler.KAISER_FAST}
ORIGINALS = {
    "librosa_0.9": OLD,
    "librosa_0.10": NEW,
    "librosa_0.11": NEW,
    "tensorflow_io_0.37": {"tfio": Resampler.TFIO},
    "torchaudio_2.11": {"torchaudio": Resampler.TORCHAUDIO},
}


@pytest.mark.parametrize("pair", PAIRS, ids=str)
@pytest.mark.parametrize(
    ("original", "method"), [(original, method) for original, methods in ORIGINALS.items() for method in methods]
)
def test_samples_are_those_of_the_original(original: str, method: str, pair: tuple[int, int]) -> None:
    rate, target = pair
    samples = resample(make_sweep(rate, SECONDS), rate, target, ORIGINALS[original][method])
    with np.load(GOLDEN / f"{original}.npz") as golden:
        assert len(samples) == golden[f"{method} {rate} {target} length"]
        np.testing.assert_allclose(thin_out(samples), golden[f"{method} {rate} {target}"], rtol=0, atol=TOLERANCE)
    assert samples.dtype == np.float32


@pytest.mark.parametrize(("rate", "target"), [(44100, 8000), (192000, 11025)])
def test_tfio_takes_coarser_tables_for_large_steps(rate: int, target: int) -> None:
    samples = resample(make_sweep(rate, SECONDS), rate, target, Resampler.TFIO)
    with np.load(GOLDEN / "tensorflow_io_0.37.npz") as golden:
        np.testing.assert_allclose(thin_out(samples), golden[f"tfio {rate} {target}"], rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("kernel", [windowed_sinc.RESAMPY_2_FAST, windowed_sinc.RESAMPY_4_FAST])
@pytest.mark.parametrize(("rate", "target"), [(44100, 16000), (48000, 44100), (32000, 11025), (16000, 48000)])
def test_repeating_weights_equal_weights_of_each_sample(
    kernel: windowed_sinc.KaiserFilter, rate: int, target: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = make_sweep(rate, 1.5)
    by_phase = windowed_sinc.resample_windowed_sinc(sweep, rate, target, kernel)
    monkeypatch.setattr(windowed_sinc, "_LARGEST_DRIFT", -1.0)
    np.testing.assert_allclose(
        by_phase, windowed_sinc.resample_windowed_sinc(sweep, rate, target, kernel), rtol=0, atol=1e-6
    )


def test_summed_times_of_a_long_recording_are_followed() -> None:
    """resampy 0.2 adds up rounded times, which leave the exact ones during a recording of a minute."""
    sweep = np.tile(make_sweep(48000, 1.0), 60)
    kernel, ratio = windowed_sinc.RESAMPY_2_FAST, 11025 / 48000
    samples = windowed_sinc.resample_windowed_sinc(sweep, 48000, 11025, kernel)
    times = windowed_sinc._sum_times(len(samples), 1 / ratio)
    assert abs(times[-1] - (len(samples) - 1) * 640 / 147) > 1e-6
    last = windowed_sinc._filter_each(sweep, times[-2000:], windowed_sinc._Table.build(kernel, ratio))
    np.testing.assert_allclose(samples[-2000:], last, rtol=0, atol=1e-6)


def test_rates_without_a_small_ratio_are_resampled() -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(22050) / 44100).astype(np.float32)
    samples = resample(tone, 44100, 16001, Resampler.KAISER_BEST)
    expected = np.sin(2 * np.pi * 440 * np.arange(len(samples)) / 16001)
    np.testing.assert_allclose(samples[500:-500], expected[500:-500], atol=2e-3)


@pytest.mark.parametrize(
    "resampler", [Resampler.KAISER_FAST, Resampler.KAISER_BEST_RESAMPY_2, Resampler.TFIO, Resampler.TORCHAUDIO]
)
def test_rate_of_any_file_needs_little_memory(resampler: Resampler) -> None:
    """A recording may have 767,999 Hz, whose 16,000 phases would need gigabytes of weights at once."""
    sweep = np.tile(make_sweep(48000, 0.1), 16)
    tracemalloc.start()
    samples = resample(sweep, 767_999, 16_000, resampler)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert abs(len(samples) - 1_600) <= 1
    assert peak < 100 << 20


@pytest.mark.parametrize(("rate", "target"), PAIRS)
def test_scipy_and_soxr_are_called_as_authors_call_them(rate: int, target: int) -> None:
    sweep = make_sweep(rate, 0.5)
    divisor = int(np.gcd(rate, target))
    _assert_equal(
        resample(sweep, rate, target, Resampler.POLYPHASE),
        signal.resample_poly(sweep, target // divisor, rate // divisor),
    )
    _assert_equal(
        resample(sweep, rate, target, Resampler.FOURIER),
        signal.resample(sweep, round(float(len(sweep)) / rate * target)),
    )
    whole = soxr.resample(sweep, rate, target, quality="HQ")
    ours = resample(sweep, rate, target, Resampler.SOXR_HQ)
    assert len(ours) == int(np.ceil(len(sweep) * (target / rate)))
    _assert_equal(ours[: len(whole)], whole[: len(ours)])


def _assert_equal(ours: NDArray[np.float32], original: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(ours, original, rtol=0, atol=1e-7)


def test_linear_interpolation_keeps_time_or_meets_both_ends() -> None:
    ramp = np.arange(100, dtype=np.float32)
    np.testing.assert_allclose(resample(ramp, 100, 50, Resampler.LINEAR), np.arange(0, 100, 2))
    np.testing.assert_allclose(resample(ramp, 100, 50, Resampler.LINEAR_ENDS), np.linspace(0, 99, 50), rtol=1e-6)


@pytest.mark.parametrize("resampler", Resampler)
def test_equal_rates_and_no_samples_stay_as_they_are(resampler: Resampler) -> None:
    sweep = make_sweep(16000, 0.1)
    assert resample(sweep, 16000, 16000, resampler) is sweep
    assert len(resample(sweep[:0], 44100, 16000, resampler)) == 0


@pytest.mark.parametrize("resampler", Resampler)
@pytest.mark.parametrize("count", [1, 2, 7])
def test_few_samples_are_resampled(resampler: Resampler, count: int) -> None:
    for rate, target in ((44100, 16000), (8000, 48000)):
        samples = resample(np.ones(count, np.float32), rate, target, resampler)
        assert np.isfinite(samples).all()
        assert abs(len(samples) - count * target / rate) <= 1
