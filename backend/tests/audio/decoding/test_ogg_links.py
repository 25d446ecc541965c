"""Ogg recordings in one file: all are scored, and other tracks are named."""

import io

import numpy as np
import pytest

from scripts.recordings.encoders import Sound, encode_with_ffmpeg, encode_with_sndfile
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
def test_a_link_of_another_format_is_scored_too(links: dict[str, bytes], first: str, second: str) -> None:
    lengths = [read(links[name])[0] for name in (first, second)]
    seconds, findings = read(links[first] + links[second])
    assert seconds == pytest.approx(sum(lengths), abs=0.001)
    assert findings[0].code is FindingCode.JOINED
    assert findings[0].start == pytest.approx(lengths[0], abs=0.001)


def test_links_behind_one_of_another_format_are_scored_too(links: dict[str, bytes]) -> None:
    names = ["opus", "opus, stereo", "opus"]
    seconds, findings = read(b"".join(links[name] for name in names))
    assert seconds == pytest.approx(sum(read(links[name])[0] for name in names), abs=0.05)
    assert [finding.code for finding in findings] == ["joined", "joined", "format_changed", "format_changed"]


def test_a_second_track_that_begins_in_a_later_link_is_named(links: dict[str, bytes], tone: Sound) -> None:
    seconds, findings = read(links["opus"] + encode_with_ffmpeg(tone, "ogg", "libopus", 48_000, tracks=2))
    assert seconds == pytest.approx(2 * len(tone) / 48_000, abs=0.05)
    assert [finding.code for finding in findings] == ["joined", "unheard_stream"]
    assert "In recording 2: The file holds 2 sound tracks" in findings[1].detail


@pytest.mark.parametrize("name", ["vorbis", "opus"])
def test_links_of_one_format_are_scored_as_one(links: dict[str, bytes], name: str) -> None:
    alone, _ = read(links[name])
    seconds, [finding] = read(links[name] * 2)
    assert seconds == pytest.approx(2 * alone, abs=0.05)
    assert finding.code is FindingCode.JOINED
