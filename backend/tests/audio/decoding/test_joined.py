"""Recordings of several formats behind each other in one file: all of them are scored, or named."""

import io
import time

import numpy as np
import pytest
import soundfile

from scripts.recordings.encoders import RATE, Sound, encode_with_ffmpeg, encode_with_sndfile
from understudy.audio.opening import AudioLimits, open_clip
from understudy.schemas.inference.finding import Finding, FindingCode

_FORMATS: dict[str, tuple[str, str, str]] = {
    "wav": ("sndfile", "WAV", "PCM_16"),
    "mp3": ("ffmpeg", "mp3", "libmp3lame"),
    "w64": ("sndfile", "W64", "PCM_16"),
    "aac": ("ffmpeg", "adts", "aac"),
    "aiff": ("sndfile", "AIFF", "PCM_16"),
    "mkv of mp3": ("ffmpeg", "matroska", "libmp3lame"),
    "au": ("sndfile", "AU", "PCM_16"),
    "mpegts": ("ffmpeg", "mpegts", "aac"),
    "caf": ("sndfile", "CAF", "PCM_16"),
    "m4a": ("ffmpeg", "ipod", "aac"),
    "ogg": ("sndfile", "OGG", "VORBIS"),
    "flac": ("sndfile", "FLAC", "PCM_16"),
    "mkv": ("ffmpeg", "matroska", "flac"),
    "wma": ("ffmpeg", "asf", "wmav2"),
}


@pytest.fixture(scope="module")
def recordings(tone: Sound) -> dict[str, bytes]:
    """Recordings of about half a second, mono at 44.1 kHz."""
    short = tone[: RATE // 2]
    return {
        name: encode_with_sndfile(short, container, codec)
        if encoder == "sndfile"
        else encode_with_ffmpeg(short, container, codec)
        for name, (encoder, container, codec) in _FORMATS.items()
    }


def read(body: bytes) -> tuple[Sound, list[Finding]]:
    """Return the samples that are scored, at 16 kHz, and the findings."""
    with open_clip(io.BytesIO(body), AudioLimits(60.0)) as clip:
        sound = np.concatenate(list(clip.iter_blocks(16_000)))
        return sound, list(clip.collect_findings())


def check_parts(sound: Sound, parts: list[Sound]) -> None:
    """Check that each part sounds as it does alone, but for its first and last 20 ms."""
    assert len(sound) == pytest.approx(sum(map(len, parts)), abs=len(parts))
    offset, edge = 0, 320
    for part in parts:
        placed = sound[offset + edge : offset + len(part) - edge]
        np.testing.assert_allclose(placed, part[edge : edge + len(placed)], atol=0.1)
        offset += len(part)


@pytest.mark.parametrize("step", [1, 5])
@pytest.mark.parametrize("first", _FORMATS)
def test_a_recording_of_another_format_behind_the_first_is_scored_as_it_is_alone(
    recordings: dict[str, bytes], first: str, step: int
) -> None:
    names = list(_FORMATS)
    second = names[(names.index(first) + step) % len(names)]
    parts = [read(recordings[name])[0] for name in (first, second)]
    sound, findings = read(recordings[first] + recordings[second])
    check_parts(sound, parts)
    assert [finding.code for finding in findings] == ["joined"]
    assert findings[0].start == pytest.approx(len(parts[0]) / 16_000, abs=0.001)


def test_a_recording_behind_one_that_cannot_be_decoded_is_scored(recordings: dict[str, bytes]) -> None:
    cut = recordings["m4a"][:3000]
    sound, findings = read(cut + recordings["flac"])
    np.testing.assert_array_equal(sound, read(recordings["flac"])[0])
    assert [(finding.code, finding.bytes) for finding in findings] == [("unheard_stream", len(cut))]
    assert "its 'moov' box" in findings[0].detail


@pytest.mark.parametrize("name", ["wav", "mpegts", "wma", "mkv of mp3", "aac"])
def test_a_recording_behind_one_that_was_cut_off_is_scored_and_the_cut_is_named(
    recordings: dict[str, bytes], name: str
) -> None:
    """The length in the header of the first reaches into the second."""
    cut, second = recordings[name][: len(recordings[name]) * 7 // 10], recordings["ogg"]
    sound, findings = read(cut + second)
    check_parts(sound, [read(cut)[0], read(second)[0]])
    assert {finding.code for finding in findings} == {"truncated", "joined"}


def test_a_gap_in_a_wma_file_is_named(tone: Sound) -> None:
    """Packets of 3,200 bytes begin at byte 544 of this file; without time stamps the hole could not be noticed."""
    body = encode_with_ffmpeg(tone, "asf", "wmav2")
    packet = body.index(b"\x82\0\0", 544)
    zeroed = body[: packet + 3200] + bytes(3200) + body[packet + 6400 :]
    sound, [gap] = read(zeroed)
    assert gap.code == "gap"
    assert gap.bytes == 3200
    assert gap.start is not None
    assert gap.end is not None
    assert gap.end - gap.start == pytest.approx((len(read(body)[0]) - len(sound)) / 16_000, abs=0.06)
    assert {finding.code for finding in read(body[: packet + 3200])[1]} == {"truncated"}
    assert [finding.code for finding in read(b"\n" + body)[1]] == ["leading_data"]


@pytest.mark.parametrize(
    ("encoder", "container", "codec"),
    [
        ("sndfile", "WAV", "MS_ADPCM"),
        ("ffmpeg", "wav", "libmp3lame"),
        ("ffmpeg", "caf", "alac"),
    ],
)
def test_a_recording_behind_compressed_samples_is_scored(
    recordings: dict[str, bytes], tone: Sound, encoder: str, container: str, codec: str
) -> None:
    encode = encode_with_sndfile if encoder == "sndfile" else encode_with_ffmpeg
    first, second = encode(tone[: RATE // 2], container, codec), recordings["mp3"]
    sound, findings = read(first + second)
    check_parts(sound, [read(first)[0], read(second)[0]])
    assert [finding.code for finding in findings] == ["joined"]


def test_links_of_ogg_with_other_tables_are_decoded_with_their_own(tone: Sound) -> None:
    """Vorbis at another quality has the same rate and channels, and other tables; FFmpeg kept those of the first."""
    links = []
    for quality in (0.1, 0.9):
        out = io.BytesIO()
        soundfile.write(out, tone[:RATE], RATE, format="OGG", subtype="VORBIS", compression_level=quality)
        links.append(out.getvalue())
    sound, findings = read(b"".join(links))
    check_parts(sound, [read(link)[0] for link in links])
    assert [finding.code for finding in findings] == ["joined"]


@pytest.fixture(scope="module")
def others(tone: Sound) -> dict[str, bytes]:
    """Recordings of about half a second with other rates and channels than `recordings`."""
    short = tone[: RATE // 2]
    random = np.random.default_rng(1)
    return {
        "wav, stereo": encode_with_sndfile(np.stack([short, 0.5 * short], axis=1), "WAV", "PCM_16"),
        "flac, 22050 Hz": encode_with_sndfile(short[::2], "FLAC", "PCM_16", 22_050),
        "ogg, opus": encode_with_ffmpeg(short, "ogg", "libopus", 48_000),
        "webm, opus": encode_with_ffmpeg(short, "webm", "libopus", 48_000),
        "mpegts, mp2": encode_with_ffmpeg(short, "mpegts", "mp2", 48_000),
        "mp3, 22050 Hz": encode_with_ffmpeg(short, "mp3", "libmp3lame", 22_050),
        "aac, 22050 Hz": encode_with_ffmpeg(short, "adts", "aac", 22_050),
        "amr, wideband": b"#!AMR-WB\n" + b"".join(b"\x44" + random.bytes(60) for _ in range(25)),
    }


@pytest.mark.parametrize("number", range(8))
def test_parts_of_other_rates_and_channels_are_converted_by_themselves(
    recordings: dict[str, bytes], others: dict[str, bytes], number: int
) -> None:
    """Their level and pitch are those that they have alone."""
    other, name = list(others.values())[number], list(recordings)[number]
    bodies = [other, recordings[name], other]
    sound, findings = read(b"".join(bodies))
    check_parts(sound, [read(body)[0] for body in bodies])
    assert [finding.code for finding in findings] == ["joined", "joined", "format_changed", "format_changed"]


def to_timed_packets(packets: bytes) -> bytes:
    """Return the packets of an MPEG transport stream with a time before each, as in an .m2ts file."""
    return b"".join(at.to_bytes(4) + packets[at : at + 188] for at in range(0, len(packets), 188))


@pytest.fixture(scope="module")
def unmarked(tone: Sound, recordings: dict[str, bytes]) -> dict[str, bytes]:
    """Recordings of half a second that no mark begins: they are known by headers in a row that agree."""
    return {
        "aac": recordings["aac"],
        "mp2": encode_with_ffmpeg(tone[: RATE // 2], "mp2", "mp2"),
        "mp3 without a tag": recordings["mp3"][recordings["mp3"].index(b"\xff\xfb") :],
        "m2ts": to_timed_packets(recordings["mpegts"]),
    }


@pytest.mark.parametrize("middle", ["aac", "mp2", "mp3 without a tag", "m2ts"])
@pytest.mark.parametrize("first", ["mpegts", "m4a", "flac", "wav"])
def test_a_recording_without_a_mark_between_two_others_is_scored(
    recordings: dict[str, bytes], unmarked: dict[str, bytes], first: str, middle: str
) -> None:
    bodies = [recordings[first], unmarked[middle], recordings["flac"]]
    sound, findings = read(b"".join(bodies))
    check_parts(sound, [read(body)[0] for body in bodies])
    assert {finding.code for finding in findings} <= {"joined", "length_mismatch"}
    assert [finding.code for finding in findings].count(FindingCode.JOINED) == 2


@pytest.mark.parametrize("between", [b"\0\0\0", b"PK\x03\x04" + bytes(range(1, 200))], ids=["zeros", "archive"])
@pytest.mark.parametrize("last", ["aac", "mp2", "m2ts"])
@pytest.mark.parametrize("first", ["mpegts", "m4a", "flac", "wav", "webm, opus"])
def test_other_bytes_before_a_recording_without_a_mark_are_named(
    recordings: dict[str, bytes],
    others: dict[str, bytes],
    unmarked: dict[str, bytes],
    first: str,
    last: str,
    between: bytes,
) -> None:
    bodies = [(recordings | others)[first], unmarked[last]]
    sound, findings = read(between.join(bodies))
    check_parts(sound, [read(body)[0] for body in bodies])
    named = [(finding.code, finding.bytes) for finding in findings if finding.code != "format_changed"]
    assert named == [("trailing_data", len(between)), ("joined", None)]


@pytest.mark.parametrize("name", ["aiff", "caf", "wav"])
def test_four_letters_before_an_mp4_file_are_no_chunk_that_holds_its_beginning(
    recordings: dict[str, bytes], name: str
) -> None:
    """The mp4 file's first four bytes are the length of such a chunk."""
    sound, findings = read(recordings[name] + b"note" + recordings["m4a"])
    check_parts(sound, [read(recordings[name])[0], read(recordings["m4a"])[0]])
    assert [(finding.code, finding.bytes) for finding in findings] == [("trailing_data", 4), ("joined", None)]


@pytest.mark.parametrize("behind", [b"hello world, this is text\n", b"%PDF-1.4\n" + b"\xe2" * 600, b"\0", bytes(7)])
@pytest.mark.parametrize("name", ["m4a", "mpegts", "wma", "webm, opus", "flac", "amr, wideband"])
def test_bytes_that_begin_nothing_behind_a_recording_are_trailing_data(
    recordings: dict[str, bytes], others: dict[str, bytes], name: str, behind: bytes
) -> None:
    body = (recordings | others)[name]
    sound, findings = read(body + behind)
    np.testing.assert_array_equal(sound, read(body)[0])
    assert [(finding.code, finding.bytes) for finding in findings] == [("trailing_data", len(behind))]


_MIB = 1 << 20
_JUNK = {
    "frames of AAC without sound": ("aac", b"\xff\xf1\x50\x80\x02\x1f\xfc"),
    "frames of AAC that cannot be decoded": ("aac", b"\xff\xf1\x50\x80\x01\x7f\xfc\xee\xee\xee\xee"),
    "boxes": ("fragments", b"\0\0\0\x08free"),
    "tags": ("aac", b"ID3\x04\0\0\0\0\0\0"),
    "packets": ("flac", b"G" * 188),
    "sync words": ("wma", b"\xff"),
}


@pytest.mark.parametrize("junk", _JUNK)
def test_junk_behind_a_recording_costs_a_bounded_time_and_is_named(
    recordings: dict[str, bytes], tone: Sound, junk: str
) -> None:
    """The first two took 4 and 6 s; all take 0.2 to 0.7 s now, on an idle core."""
    name, pattern = _JUNK[junk]
    body = (
        encode_with_ffmpeg(tone[: RATE // 2], "mp4", "aac", options={"movflags": "empty_moov+frag_keyframe"})
        if name == "fragments"
        else recordings[name]
    )
    begin = time.process_time()
    sound, findings = read(body + pattern * (3 * _MIB // len(pattern)))
    assert time.process_time() - begin < 2.0
    assert findings
    alone = read(body)[0][:-320]
    np.testing.assert_allclose(sound[: len(alone)], alone, atol=0.01)
