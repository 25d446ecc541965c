"""A refusal says what is wrong with the file in words of its sender, names the codec, and says what to do."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from scripts.recordings.damage import make_recordings
from scripts.recordings.encoders import encode_with_sndfile
from scripts.recordings.reading import find_library_words, read_recording
from scripts.recordings.tables import PAGE
from understudy.audio.decoding.codecs import DEMUXERS
from understudy.audio.decoding.containers.detect_container import FORMATS, ContainerFormat, list_formats
from understudy.audio.opening import AudioLimits, open_clip
from understudy.errors import AudioUnusable, NotAudio, UnderstudyError

Encode = Callable[..., bytes]


def list_broken(body: bytes) -> Iterator[bytes]:
    """Yield a recording cut off within its header, and with each part of its header damaged."""
    for length in (4, 12, 27, 44, 100, 400):
        yield body[:length]
        yield body[:length] + bytes(2000)
    for start in range(0, 128, 16):
        for junk in (bytes(16), b"\xff" * 16):
            yield body[:start] + junk + body[start + 16 :]


def test_no_words_of_a_library_reach_the_sender_of_a_broken_file() -> None:
    refused = 0
    for name, body in make_recordings().items():
        for broken in list_broken(body[: 1 << 13]):
            decoded = read_recording(broken)
            assert find_library_words(decoded) == [], (name, decoded)
            if isinstance(decoded, UnderstudyError):
                refused += 1
                assert decoded.detail.endswith("."), decoded.detail
                assert decoded.remedy
    assert refused > 150


def test_words_of_libraries_are_recognized() -> None:
    for text in ("Error : Unspecified internal error.", "[Errno 1094995529] Invalid data found", "moov atom not found"):
        assert find_library_words(AudioUnusable(text))
    remedy = "Convert the recording: `ffmpeg -i FILE recording.flac`, and send recording.flac."
    assert find_library_words(AudioUnusable("The wav file is cut off.", remedy=remedy)) == []


def refuse(body: bytes) -> UnderstudyError:
    with pytest.raises((AudioUnusable, NotAudio)) as caught:
        list(open_clip(io.BytesIO(body), AudioLimits(60.0)).iter_blocks(16_000))
    assert find_library_words(caught.value) == []
    return caught.value


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"RIFF\x10\0\0\0AVI LIST" + bytes(40), "an AVI file"),
        (b"FLV\x01\x05\0\0\0\x09" + bytes(40), "a Flash video file"),
        (b"\0\0\x01\xba\x44" + bytes(40), "an MPEG program stream file"),
        (b"NIST_1A\n   1024\n" + bytes(40), "a NIST SPHERE file"),
        (b"#!SILK_V3" + bytes(40), "a SILK file"),
        (b"\x02#!SILK_V3" + bytes(40), "a SILK file"),
        (b"wvpk" + bytes(40), "a WavPack file"),
        (b"\x0b\x77" + bytes(40), "a file of AC-3 frames without a container"),
        (b"\x56\xe0" + bytes(40), "a file of AAC in LATM frames"),
    ],
)
def test_a_container_that_is_not_opened_is_named_with_the_command_that_converts_it(body: bytes, named: str) -> None:
    error = refuse(body)
    assert named in error.detail
    assert "ffmpeg -i FILE" in error.remedy


@pytest.mark.parametrize("body", [b"\x89PNG" + bytes(60), b"\x13\x37" * 40, b"wvpk" + bytes(60)])
def test_a_file_of_another_kind_is_refused_with_every_format_that_is_read(body: bytes) -> None:
    remedy = refuse(body).remedy
    assert list_formats() in remedy
    assert list_formats() in " ".join(PAGE.read_text(encoding="utf-8").split())
    assert set(FORMATS) == set(ContainerFormat) == {*DEMUXERS, ContainerFormat.AIFF, ContainerFormat.AU}


def replace_once(body: bytes, old: bytes, new: bytes) -> bytes:
    assert old in body
    return body.replace(old, new, 1)


@pytest.mark.parametrize(
    ("container", "subtype", "old", "new", "named"),
    [
        ("AIFF", "ULAW", b"ulaw", b"QDM2", "'QDM2'"),
        ("AIFF", "ULAW", b"ulaw", b"MAC3", "'MAC3'"),
        ("AIFF", "ULAW", b"ulaw", b"\0law", "the codec 006c6177"),
        ("CAF", "ULAW", b"ulaw", b"QDM2", "QDesign Music Codec 2"),
        ("AU", "ULAW", b"\0\0\0\1\0\0\xac\x44", b"\0\0\0\x18\0\0\xac\x44", "G.722"),
        ("AU", "ULAW", b"\0\0\0\1\0\0\xac\x44", b"\0\0\0\x63\0\0\xac\x44", "the encoding number 99"),
        ("WAV", "ULAW", b"\x07\0\1\0\x44\xac", b"\x70\x02\1\0\x44\xac", "ATRAC3"),
        ("WAV", "ULAW", b"\x07\0\1\0\x44\xac", b"\x99\x99\1\0\x44\xac", "the codec number 0x9999"),
    ],
)
def test_container_and_codec_are_named_with_the_command_that_converts_them(
    container: str, subtype: str, old: bytes, new: bytes, named: str
) -> None:
    body = encode_with_sndfile(np.zeros(2000, np.float32), container, subtype)
    error = refuse(replace_once(body, old, new))
    assert f"The sound in the {container.lower()} file is encoded with {named}, which is not decoded" in error.detail
    assert "ffmpeg -i FILE" in error.remedy


def cut_at(body: bytes, word: bytes, number: int) -> bytes:
    """Return the recording from the occurrence `number` of `word` on."""
    at = -1
    for _ in range(number):
        at = body.index(word, at + 1)
    return body[at:]


def test_a_later_piece_of_a_recording_is_called_so(tone: Any, ffmpeg: Encode) -> None:
    live = ffmpeg(tone, "webm", "libopus", 48_000, options={"live": "1", "cluster_time_limit": "500"})
    fragments = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "500000"}
    mp4 = ffmpeg(tone, "mp4", "aac", options=fragments)
    ogg = ffmpeg(tone, "ogg", "libopus", 48_000, options={"page_duration": "200000"})
    block = cut_at(live, b"\x1f\x43\xb6\x75", 2)
    pieces = {
        "WebM": [block, block[block.index(b"\xa3") :], b"\xa0\x90\xa1\x8d\x81" + bytes(12)],
        "mp4": [mp4[mp4.rindex(b"moof") - 4 :]],
        "Ogg": [cut_at(ogg, b"OggS", 4)],
    }
    for kind, bodies in pieces.items():
        for body in bodies:
            error = refuse(body)
            assert f"a later piece of a recording ({kind})" in error.detail
            assert "Send the first piece and all later ones joined in one file" in error.remedy


def test_a_caf_file_whose_table_of_packets_is_missing_says_so(tone: Any, ffmpeg: Any) -> None:
    body = ffmpeg(tone, "caf", "alac", 44_100)
    assert body.index(b"pakt") > body.index(b"data")
    for cut in (body[: body.index(b"pakt")], body[: len(body) // 2]):
        with pytest.raises(AudioUnusable, match="the table behind its sound"):
            open_clip(io.BytesIO(cut), AudioLimits(60.0))
