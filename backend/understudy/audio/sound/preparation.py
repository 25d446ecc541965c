"""Carry out the steps of a spec's `sound` on a recording."""

import numpy as np
from numpy.typing import NDArray

from understudy.audio.sound.length import count_samples, fit_length
from understudy.audio.sound.resampling import resample
from understudy.audio.sound.trimming import trim_quiet_ends
from understudy.errors import AudioUnusable
from understudy.schemas.front_end.sound import Gain, Length, Sound

_FULL_SCALE_16_BIT = 32768


def prepare_sound(
    mono: NDArray[np.float32], rate: int, sound: Sound, target: int | None
) -> tuple[NDArray[np.float32], int]:
    """Return the samples float32 [m] that features are computed from, and their rate in Hz.

    `mono` float32 [n] is the recording at its own `rate` in Hz. The steps run in the order of `sound`'s fields.
    `target` is the model's sample rate; None keeps the recording's. Raises AudioUnusable when no sample is left.
    """
    samples = _cut(mono, rate, sound)
    if sound.round_to_16_bit:
        samples = _round_to_16_bit(samples)
    if target is not None and target != rate:
        samples, rate = resample(samples, rate, target, sound.resampler), target
    if not len(samples):
        raise AudioUnusable(f"The recording is too short for one sample at {rate} Hz.")
    if sound.trim is not None:
        samples = trim_quiet_ends(samples, sound.trim)
    samples = _apply_gain(samples, sound)
    if sound.length is not None:
        samples = _fit(samples, rate, sound.length)
    return samples, rate


def _cut(mono: NDArray[np.float32], rate: int, sound: Sound) -> NDArray[np.float32]:
    """Return the samples from `offset` on for `duration`, cut to whole samples as librosa.load cuts them."""
    start = int(sound.offset * rate)
    end = len(mono) if sound.duration is None else start + int(sound.duration * rate)
    samples = mono[start:end]
    if not len(samples):
        raise AudioUnusable(
            f"The recording lasts {len(mono) / rate:.3f} s, and the model's spec reads from {sound.offset:g} s"
            + (" on." if sound.duration is None else f" to {sound.offset + sound.duration:g} s."),
            remedy=f"Send a recording of more than {sound.offset:g} s, or correct the spec's sound.offset"
            + (" and sound.duration." if sound.duration is not None else "."),
        )
    return samples


def _round_to_16_bit(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the samples as a conversion to 16-bit integers and back gives them (FFmpeg, pydub)."""
    steps = np.clip(np.rint(samples * np.float32(_FULL_SCALE_16_BIT)), -_FULL_SCALE_16_BIT, _FULL_SCALE_16_BIT - 1)
    return np.asarray(steps / np.float32(_FULL_SCALE_16_BIT), np.float32)


def _apply_gain(samples: NDArray[np.float32], sound: Sound) -> NDArray[np.float32]:
    """Return the samples at the level of the spec; silence stays silence."""
    if sound.gain is Gain.NONE:
        return samples
    level = np.abs(samples).max() if sound.gain is Gain.PEAK else np.sqrt(np.mean(samples.astype(np.float64) ** 2))
    return samples if level == 0 else np.asarray(samples * (sound.gain_level / float(level)), np.float32)


def _fit(samples: NDArray[np.float32], rate: int, length: Length) -> NDArray[np.float32]:
    size = count_samples(length, rate)
    if not size:
        raise AudioUnusable(
            f"The model's spec gives every clip {length.seconds:g} s, which is no whole sample at {rate} Hz.",
            remedy="Correct the spec's sound.length, or give it in samples.",
        )
    return fit_length(samples, size, length)
