"""Frame headers against the formulas and tables of ISO/IEC 11172-3, 13818-3 and 14496-3."""

import io

import pytest

from understudy.audio.decoding.containers.detect_container import ContainerFormat, detect_container
from understudy.audio.decoding.containers.mpeg.frames import (
    MpegFrame,
    read_adts_length,
    read_mpeg_frame,
    read_xing_seconds,
)
from understudy.errors import NotAudio


@pytest.mark.parametrize(
    ("header", "frame"),
    [
        ("fffb9000", MpegFrame(144 * 128_000 // 44_100, 1152, 44_100, 4 + 32)),
        ("fffb9200", MpegFrame(144 * 128_000 // 44_100 + 1, 1152, 44_100, 4 + 32)),
        ("fffb90c0", MpegFrame(144 * 128_000 // 44_100, 1152, 44_100, 4 + 17)),
        ("fffb1400", MpegFrame(144 * 32_000 // 48_000, 1152, 48_000, 4 + 32)),
        ("fffbe800", MpegFrame(144 * 320_000 // 32_000, 1152, 32_000, 4 + 32)),
        ("fff38000", MpegFrame(72 * 64_000 // 22_050, 576, 22_050, 4 + 17)),
        ("fff380c0", MpegFrame(72 * 64_000 // 22_050, 576, 22_050, 4 + 9)),
        ("ffe38000", MpegFrame(72 * 64_000 // 11_025, 576, 11_025, 4 + 17)),
        ("fffd8400", MpegFrame(144 * 128_000 // 48_000, 1152, 48_000, 4 + 32)),
        ("fff58000", MpegFrame(144 * 64_000 // 22_050, 1152, 22_050, 4 + 17)),
        ("ffffc000", MpegFrame(12 * 384_000 // 44_100 * 4, 384, 44_100, 0)),
        ("ffffc200", MpegFrame((12 * 384_000 // 44_100 + 1) * 4, 384, 44_100, 0)),
    ],
)
def test_a_header_gives_length_samples_and_rate_of_its_frame(header: str, frame: MpegFrame) -> None:
    assert read_mpeg_frame(bytes.fromhex(header)) == frame


@pytest.mark.parametrize(
    "header",
    ["fffb90", "fefb9000", "ffdb9000", "ff7b9000", "ffeb9000", "fff99000", "fffb0000", "fffbf000", "fffb9c00"],
    ids=["short", "sync", "sync", "sync", "version", "layer", "free bit rate", "bad bit rate", "bad sample rate"],
)
def test_other_bytes_are_no_frame(header: str) -> None:
    assert read_mpeg_frame(bytes.fromhex(header)) is None


def _adts(length: int, rate_index: int = 4) -> bytes:
    fields = (0xFFF1 << 40) | (1 << 38) | (rate_index << 34) | (1 << 30) | (length << 13) | (0x7FF << 2)
    return fields.to_bytes(7)


@pytest.mark.parametrize("length", [11, 371, 2048, 8191])
def test_an_adts_header_gives_the_length_of_its_frame(length: int) -> None:
    assert read_adts_length(_adts(length)) == length
    assert read_adts_length(_adts(length, rate_index=12)) == length


@pytest.mark.parametrize(
    "header",
    [
        _adts(7),
        _adts(10),
        _adts(371, rate_index=13),
        _adts(371)[:6],
        b"\xfe" + _adts(371)[1:],
        b"\xff\xf3" + _adts(371)[2:],
    ],
    ids=["header only", "no sound", "reserved rate", "short", "sync", "layer"],
)
def test_other_bytes_are_no_adts_frame(header: bytes) -> None:
    assert read_adts_length(header) is None


def _xing(tag: bytes, flags: int, frames: int) -> bytes:
    return bytes.fromhex("fff38000") + bytes(17) + tag + flags.to_bytes(4) + frames.to_bytes(4)


def test_a_xing_header_promises_its_frames() -> None:
    for tag in (b"Xing", b"Info"):
        assert read_xing_seconds(_xing(tag, 0xF, 1000)) == 1000 * 576 / 22_050


@pytest.mark.parametrize(
    "head",
    [_xing(b"Xing", 0xE, 1000), _xing(b"Xinh", 1, 1000), _xing(b"Xing", 1, 1000)[:-1], b"RIFF" + bytes(60)],
    ids=["no frame count", "another tag", "cut off", "no frame"],
)
def test_without_a_frame_count_nothing_is_promised(head: bytes) -> None:
    assert read_xing_seconds(head) is None


@pytest.mark.parametrize(("frame", "kind"), [(bytes.fromhex("fffb9000"), "mp3"), (_adts(417), "aac")])
def test_a_frame_counts_where_the_file_ends_or_another_frame_follows(frame: bytes, kind: str) -> None:
    whole = frame + bytes(417 - len(frame))
    for body in (whole, whole * 2, whole + frame + bytes(8)):
        assert detect_container(io.BytesIO(body)).kind == ContainerFormat(kind)
    for body in (whole + b"x", whole + b"x" * 8, b"x" + whole):
        with pytest.raises(NotAudio):
            detect_container(io.BytesIO(body))
