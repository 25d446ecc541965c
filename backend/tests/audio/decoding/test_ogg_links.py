"""Ogg recordings in one file: those of one format are scored as one, and others are named."""

import io

import numpy as np
import pytest

from scripts.recordings.encoders import Sound, encode_with_sndfile
from understudy.audio.opening import AudioLimits, open_clip
from understudy.schemas.inference.finding import Finding, FindingCode


@pytest.fixture(scope="module")
def links(tone: Sound) -> dict[str, bytes]:
    """Recordings of two seconds in Ogg, mono at 44.1 or 48 kHz unless the name says otherwise."""
    both = np.stack([tone, tone], axis=1)
    return {
        "vorbis": encode_with_sndfile(tone, "OGG", "VORBIS"),
        "vorbis, stereo": encode_with_sndfile(both, "OGG", "VORBIS"),
        "vorbis, other rate": encode_with_sndfile(tone, "OGG", "VORBIS", 22_050),
        "opus": encode_with_sndfile(tone, "OGG", "OPUS", 48_000),
        "opus, stereo": encode_with_sndfile(both, "OGG", "OPUS", 48_000),
    }


def read(body: bytes) -> tuple[float, tuple[Finding, ...]]:
    """Return the seconds that are scored, and the findings."""
    with open_clip(io.BytesIO(body), AudioLimits(60.0)) as clip:
        seconds = sum(map(len, clip.iter_blocks(16_000))) / 16_000
        return seconds, clip.collect_findings()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("vorbis", "vorbis, stereo"),
        ("vorbis", "vorbis, other rate"),
        ("vorbis", "opus"),
        ("opus", "opus, stereo"),
        ("opus", "vorbis"),
    ],
)
def test_a_link_of_another_format_is_named_with_its_bytes(links: dict[str, bytes], first: str, second: str) -> None:
    alone, _ = read(links[first])
    seconds, [finding] = read(links[first] + links[second])
    assert seconds == alone
    assert (finding.code, finding.bytes) == (FindingCode.UNHEARD_STREAM, len(links[second]))
    assert "another recording with" in finding.detail


def test_links_behind_one_of_another_format_are_scored(links: dict[str, bytes]) -> None:
    alone, _ = read(links["opus"])
    seconds, [unheard, joined] = read(links["opus"] + links["opus, stereo"] + links["opus"])
    assert seconds == pytest.approx(2 * alone, abs=0.05)
    assert (unheard.code, unheard.bytes) == (FindingCode.UNHEARD_STREAM, len(links["opus, stereo"]))
    assert joined.code is FindingCode.JOINED


@pytest.mark.parametrize("name", ["vorbis", "opus"])
def test_links_of_one_format_are_scored_as_one(links: dict[str, bytes], name: str) -> None:
    alone, _ = read(links[name])
    seconds, [finding] = read(links[name] * 2)
    assert seconds == pytest.approx(2 * alone, abs=0.05)
    assert finding.code is FindingCode.JOINED
