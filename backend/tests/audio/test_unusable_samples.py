"""One damaged sample costs no recording: silence takes its place, and a finding names it."""

import io

import numpy as np
import pytest
import soundfile

from understudy.audio.decoding.audio_limits import AudioLimits
from understudy.audio.decoding.reader import Samples
from understudy.audio.opening import open_clip
from understudy.audio.unusable_samples import SampleMender
from understudy.errors import AudioUnusable
from understudy.schemas.inference.finding import MOST_FINDINGS, Finding, FindingCode

RATE = 16_000


def make_tone(seconds: float = 2.0) -> Samples:
    return np.asarray(0.5 * np.sin(np.arange(round(RATE * seconds)) * 0.2), np.float32)


def read(samples: Samples) -> tuple[Samples, tuple[Finding, ...]]:
    """Return what is scored of a float wav, and the findings."""
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format="WAV", subtype="FLOAT")
    file.seek(0)
    with open_clip(file, AudioLimits(60.0)) as clip:
        scored = np.concatenate(list(clip.iter_blocks(RATE)))
        return scored, clip.collect_findings()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_a_sample_that_is_no_sound_is_silence_and_named(value: float) -> None:
    tone = make_tone()
    spoiled = tone.copy()
    spoiled[20_000] = value
    scored, [finding] = read(spoiled)
    expected = tone.copy()
    expected[20_000] = 0
    np.testing.assert_array_equal(scored, expected)
    assert (finding.code, finding.start) == (FindingCode.GAP, 1.25)
    assert finding.end == pytest.approx(1.25, abs=1e-4)
    assert "1 sample is infinite, not a number (NaN) or more than 100 times full scale" in finding.detail


def test_one_channel_keeps_its_sound_where_the_other_has_none() -> None:
    tone = make_tone()
    both = np.stack([tone, tone], axis=1)
    both[8_000:12_000, 1] = np.nan
    scored, [finding] = read(both)
    np.testing.assert_allclose(scored[8_100:11_900], tone[8_100:11_900] / 2, atol=1e-6)
    assert (finding.start, finding.end, "4000 samples" in finding.detail) == (0.5, 0.75, True)


def test_a_stretch_over_two_blocks_is_one_finding() -> None:
    mender = SampleMender(RATE)
    for _ in range(3):
        block = np.full((1_000, 1), np.nan, np.float32)
        assert not mender.mend(block).any()
    [finding] = mender.findings
    assert (finding.start, finding.end) == (0.0, 3_000 / RATE)
    with pytest.raises(AudioUnusable, match="only samples that are infinite"):
        mender.check()


def test_stretches_past_those_that_are_listed_are_counted_in_the_last_one() -> None:
    mender = SampleMender(RATE)
    block = np.zeros((RATE, 1), np.float32)
    block[5_000] = np.nan
    for _ in range(2 * MOST_FINDINGS):
        mender.mend(block)
    mender.check()
    assert len(mender.findings) == MOST_FINDINGS
    assert f"{MOST_FINDINGS + 1} samples are" in mender.findings[-1].detail


def test_a_file_of_another_scale_is_refused_and_not_silenced_in_part() -> None:
    loud = make_tone()
    loud[:200] *= 30_000
    with pytest.raises(AudioUnusable, match=r"reach .* times full scale") as caught:
        read(loud)
    assert "32768" in caught.value.remedy


def test_a_block_without_fault_is_not_copied() -> None:
    block = make_tone()[:, None]
    assert SampleMender(RATE).mend(block) is block
