"""Level, peak, silence, clipping and length of a recording."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest

from understudy.audio.opening import AudioLimits, open_clip
from understudy.schemas.inference.finding import FindingCode

Encode = Callable[..., bytes]


def sine(peak: float, seconds: float = 1.0, rate: int = 16_000) -> Any:
    return (peak * np.sin(2 * np.pi * 1_000 * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def test_level_is_rms_relative_to_full_scale(sndfile: Encode, decode: Any) -> None:
    _, facts = decode(sndfile(sine(0.5), "WAV", "FLOAT", 16_000))
    assert facts.level_dbfs == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.01)
    assert facts.peak_dbfs == pytest.approx(20 * np.log10(0.5), abs=0.01)
    assert not facts.silent
    assert not facts.clipped


def test_digital_silence_has_no_level(sndfile: Encode, decode: Any) -> None:
    sound, facts = decode(sndfile(np.zeros(16_000, np.float32), "WAV", "PCM_16", 16_000))
    assert not sound.any()
    assert (facts.level_dbfs, facts.peak_dbfs, facts.silent, facts.clipped) == (None, None, True, False)


@pytest.mark.parametrize(("peak", "silent"), [(0.9e-3, True), (1.2e-3, False)])
def test_silent_means_never_above_minus_60_dbfs(sndfile: Encode, decode: Any, peak: float, silent: bool) -> None:
    _, facts = decode(sndfile(sine(peak), "WAV", "FLOAT", 16_000))
    assert facts.silent is silent


def test_channels_that_cancel_have_the_level_of_the_louder_one(sndfile: Encode, decode: Any) -> None:
    tone = sine(0.5)
    sound, facts = decode(sndfile(np.stack([tone, -tone], axis=1), "WAV", "FLOAT", 16_000))
    assert len(sound) == len(tone)
    assert not facts.silent
    assert facts.level_dbfs == pytest.approx(-9.03, abs=0.01)
    assert facts.peak_dbfs == pytest.approx(-6.02, abs=0.01)


@pytest.mark.parametrize(("run", "clipped"), [(2, False), (3, True)])
def test_clipped_means_three_samples_in_a_row_at_full_scale(
    sndfile: Encode, decode: Any, run: int, clipped: bool
) -> None:
    for start in (1_000, (1 << 15) - 2, (1 << 16) - 1):
        sound = np.stack([sine(0.1, 10), sine(0.5, 10)], axis=1)
        sound[start : start + run, 1] = -1.0
        assert decode(sndfile(sound, "WAV", "PCM_16", 16_000))[1].clipped is clipped


def test_overdriven_sound_is_clipped_in_every_lossless_format(sndfile: Encode, decode: Any) -> None:
    square = np.clip(sine(4.0), -1, 1)
    for container, subtype in (
        ("WAV", "PCM_U8"),
        ("WAV", "PCM_16"),
        ("WAV", "PCM_24"),
        ("FLAC", "PCM_16"),
        ("WAV", "FLOAT"),
    ):
        assert decode(sndfile(square, container, subtype, 16_000))[1].clipped, subtype


def test_full_scale_sine_is_not_clipped(sndfile: Encode, decode: Any) -> None:
    assert not decode(sndfile(sine(0.9999), "WAV", "PCM_16", 16_000))[1].clipped


def test_ten_milliseconds_are_read(sndfile: Encode, decode: Any) -> None:
    sound, facts = decode(sndfile(sine(0.5, 0.01, 44_100), "WAV", "PCM_16", 44_100))
    assert (len(sound), facts.duration_seconds) == (160, 0.01)


def test_an_answer_says_for_which_stretch_the_louder_channel_was_used(sndfile: Encode) -> None:
    tone = sine(0.5, 2)
    content = sndfile(np.stack([0.9 * tone, -tone], axis=1), "WAV", "FLOAT", 16_000)
    with open_clip(BytesIO(content), AudioLimits(max_seconds=60)) as clip:
        list(clip.iter_blocks(16_000))
        [finding] = clip.collect_findings()
    assert (finding.code, finding.start, finding.end) == (FindingCode.CHANNELS_CANCEL, 0.0, 2.0)
    assert "channel 2 of 2" in finding.detail
