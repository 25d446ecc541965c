"""Convert samples to another sample rate with the algorithm that a model's author used."""

from collections.abc import Callable
from math import ceil, gcd

import numpy as np
import soxr
from numpy.typing import NDArray

from understudy.audio.sound.speex_sinc import resample_speex
from understudy.audio.sound.torchaudio_sinc import resample_torchaudio
from understudy.audio.sound.windowed_sinc import (
    RESAMPY_2_BEST,
    RESAMPY_2_FAST,
    RESAMPY_4_BEST,
    RESAMPY_4_FAST,
    KaiserFilter,
    resample_windowed_sinc,
)
from understudy.schemas.front_end.sound import Resampler

Signal = NDArray[np.float32]


# Resamplers whose output at one time depends on the whole signal, or on all times before.
WHOLE_SIGNAL = frozenset(
    {
        Resampler.KAISER_BEST_RESAMPY_2,
        Resampler.KAISER_FAST_RESAMPY_2,
        Resampler.FOURIER,
        Resampler.FOURIER_LIBROSA,
        Resampler.LINEAR_ENDS,
    }
)


def resample_part(samples: Signal, rate: int, target: int, resampler: Resampler, cycle: int) -> Signal:
    """Return what `resample` gives for a part of a signal, but for the part's ends.

    The part starts `cycle` times rate / gcd(rate, target) samples after the signal's start. Raises ValueError for the
    resamplers in WHOLE_SIGNAL.
    """
    if resampler in WHOLE_SIGNAL:
        raise ValueError(f"{resampler} needs the whole signal")
    kernel = _KAISER.get(resampler)
    if kernel is not None:
        return resample_windowed_sinc(samples, rate, target, kernel, cycle)
    return _METHODS[resampler](samples, rate, target)


def count_resampled(samples: int, rate: int, target: int, resampler: Resampler) -> int:
    """Return the number of samples that `resample` gives for `samples` samples."""
    if resampler in (Resampler.LINEAR, Resampler.TFIO):
        return samples * target // rate
    if resampler in (Resampler.POLYPHASE, Resampler.TORCHAUDIO):
        return -(-samples * target // rate)
    return _compute_librosa_length(samples, rate, target)


def resample(samples: Signal, rate: int, target: int, resampler: Resampler) -> Signal:
    """Return `samples` float32 [n] at `rate` Hz as float32 [m] at `target` Hz.

    m is ceil(n * target / rate), as librosa.load has it, but for `linear` and `tfio` (cut) and for `fourier` (rounded).
    Equal rates give the samples themselves.
    """
    if rate == target or not len(samples):
        return samples
    return _METHODS[resampler](samples, rate, target)


def _fix_length(samples: Signal, length: int) -> Signal:
    """Return the first `length` samples, with zeros at the end where there are fewer: librosa.util.fix_length."""
    return samples[:length] if len(samples) >= length else np.pad(samples, (0, length - len(samples)))


def _compute_librosa_length(samples: int, rate: int, target: int) -> int:
    # The order of the operations is librosa's: another one rounds to another length.
    return ceil(samples * (float(target) / rate))


def _resample_soxr(samples: Signal, rate: int, target: int) -> Signal:
    resampled: Signal = soxr.resample(samples, rate, target, quality="HQ")
    return _fix_length(resampled, _compute_librosa_length(len(samples), rate, target))


def _use_kaiser(kernel: KaiserFilter) -> Callable[[Signal, int, int], Signal]:
    def resample_kaiser(samples: Signal, rate: int, target: int) -> Signal:
        resampled = resample_windowed_sinc(samples, rate, target, kernel)
        return _fix_length(resampled, _compute_librosa_length(len(samples), rate, target))

    return resample_kaiser


def _resample_polyphase(samples: Signal, rate: int, target: int) -> Signal:
    from scipy.signal import resample_poly  # takes 0.3 s to import

    divisor = gcd(rate, target)
    resampled: Signal = resample_poly(samples, target // divisor, rate // divisor)
    return resampled.astype(np.float32)


def _resample_fourier_to(samples: Signal, length: int) -> Signal:
    from scipy.signal import resample as resample_fourier  # takes 0.3 s to import

    if not length:
        return samples[:0]
    resampled: Signal = resample_fourier(samples, length)
    return resampled.astype(np.float32)


def _resample_fourier(samples: Signal, rate: int, target: int) -> Signal:
    return _resample_fourier_to(samples, round(float(len(samples)) / rate * target))


def _resample_librosa_fft(samples: Signal, rate: int, target: int) -> Signal:
    return _resample_fourier_to(samples, _compute_librosa_length(len(samples), rate, target))


def _interpolate(samples: Signal, positions: NDArray[np.floating]) -> Signal:
    return np.asarray(np.interp(positions, np.arange(len(samples)), samples), np.float32)


def _resample_linear(samples: Signal, rate: int, target: int) -> Signal:
    return _interpolate(samples, np.arange(int(len(samples) * target / rate)) * (rate / target))


def _resample_linear_ends(samples: Signal, rate: int, target: int) -> Signal:
    return _interpolate(samples, np.linspace(0, len(samples) - 1, int(len(samples) * target / rate)))


_KAISER = {
    Resampler.KAISER_BEST: RESAMPY_4_BEST,
    Resampler.KAISER_FAST: RESAMPY_4_FAST,
    Resampler.KAISER_BEST_RESAMPY_2: RESAMPY_2_BEST,
    Resampler.KAISER_FAST_RESAMPY_2: RESAMPY_2_FAST,
}

_METHODS: dict[Resampler, Callable[[Signal, int, int], Signal]] = {
    Resampler.SOXR_HQ: _resample_soxr,
    **{resampler: _use_kaiser(kernel) for resampler, kernel in _KAISER.items()},
    Resampler.POLYPHASE: _resample_polyphase,
    Resampler.FOURIER: _resample_fourier,
    Resampler.FOURIER_LIBROSA: _resample_librosa_fft,
    Resampler.LINEAR: _resample_linear,
    Resampler.LINEAR_ENDS: _resample_linear_ends,
    Resampler.TFIO: resample_speex,
    Resampler.TORCHAUDIO: resample_torchaudio,
}
