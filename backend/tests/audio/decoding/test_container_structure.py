"""Each structural promise of a container, kept and broken, on the smallest files that make it."""

import io
import struct

import pytest

from understudy.audio.decoding.container_validation import validate_container
from understudy.audio.decoding.detect_container import ContainerFormat
from understudy.errors import AudioUnusable


def check(kind: ContainerFormat, body: bytes) -> None:
    file = io.BytesIO(body)
    validate_container(file, kind)
    assert file.tell() == 0


def box(name: bytes, content: bytes = b"", *, length: int | None = None) -> bytes:
    return struct.pack(">I", 8 + len(content) if length is None else length) + name + content


def long_box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4sQ", 1, name, 16 + len(content)) + content


@pytest.mark.parametrize(
    "body",
    [
        box(b"ftyp", b"M4A ") + box(b"moov", b"x") + box(b"mdat", bytes(9)),
        box(b"ftyp", b"M4A ") + long_box(b"mdat", bytes(9)) + box(b"moov"),
        box(b"moov") + box(b"mdat", bytes(9), length=0),
        box(b"moov") + b"\0\0\0",
    ],
    ids=["in order", "long box", "to the end of the file", "padding"],
)
def test_mp4_of_whole_boxes_passes(body: bytes) -> None:
    check(ContainerFormat.MP4, body)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (box(b"ftyp", b"M4A ") + box(b"mdat", bytes(9)), r"cut off: its 'moov' box, .* is missing"),
        (b"", r"its 'moov' box, .* is missing"),
        (box(b"moov", bytes(4)) + box(b"mdat", bytes(20))[:-3], "its 'mdat' box should have 28 bytes, and 25"),
        (box(b"moov") + box(b"mdat", length=7), "the box at byte 8 has an invalid length"),
        (box(b"moov") + struct.pack(">I4sQ", 1, b"mdat", 15), "the box at byte 8 has an invalid length"),
    ],
    ids=["no moov", "nothing", "cut off", "short length", "short long length"],
)
def test_mp4_that_breaks_its_promise_is_unusable(body: bytes, words: str) -> None:
    with pytest.raises(AudioUnusable, match=words):
        check(ContainerFormat.MP4, body)


def page(number: int, *, last: bool = False, serial: int = 7, content: bytes = b"", segments: bool = True) -> bytes:
    table = bytes([len(content)]) if segments else b""
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, 4 * last, 0, serial, number, 0, len(table))
    return head + table + content


@pytest.mark.parametrize(
    "body",
    [
        page(0, content=b"abc") + page(1) + page(2, last=True, content=b"d"),
        page(5) + page(6, last=True, segments=False),
        page(0) + page(0, serial=8) + page(1, serial=8, last=True) + page(1, last=True),
    ],
    ids=["three pages", "empty last page", "two streams"],
)
def test_ogg_of_pages_in_order_passes(body: bytes) -> None:
    check(ContainerFormat.OGG, body)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (page(0) + page(1), "its last page lacks the end-of-stream mark"),
        (page(0, last=True) + page(0, serial=8), "its last page lacks the end-of-stream mark"),
        (page(0) + page(2, last=True), "page 2 follows page 0 of the same stream"),
        (page(3) + page(3, last=True), "page 3 follows page 3 of the same stream"),
        (page(0) + b"X" + page(1, last=True), "no page begins at byte 28"),
        (page(0) + page(1, last=True)[:26], "its last page should have 27 bytes, and 26 are present"),
        (page(0) + page(1, last=True, content=b"abcd")[:-1], "its last page should have 32 bytes, and 31 are present"),
    ],
    ids=["no last page", "no last page of one", "gap", "repeated", "garbage", "half a header", "half a page"],
)
def test_ogg_that_breaks_its_promise_is_unusable(body: bytes, words: str) -> None:
    with pytest.raises(AudioUnusable, match=words):
        check(ContainerFormat.OGG, body)


def element(size: bytes, content: bytes = b"") -> bytes:
    return b"\x1a\x45\xdf\xa3" + size + content


@pytest.mark.parametrize(
    "body",
    [
        element(b"\x82", b"ab"),
        element(b"\x40\x02", b"ab") + element(b"\x80"),
        element(b"\xff", element(b"\x81", b"a")),
        element(b"\x01" + b"\xff" * 7, element(b"\x80")),
    ],
    ids=["one byte of size", "two bytes of size", "unknown size", "unknown size in eight bytes"],
)
def test_webm_of_whole_elements_passes(body: bytes) -> None:
    check(ContainerFormat.WEBM, body)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (element(b"\x83", b"ab"), "the element at byte 0 should have 3 bytes, and 2 are present"),
        (element(b"\x80") + element(b"\x82", b"a"), "the element at byte 5 should have 2 bytes, and 1 are present"),
        (element(b"\xff", element(b"\x82", b"a")), "the element at byte 5 should have 2 bytes, and 1 are present"),
        (element(b"\x80") + b"\x1a\x45", "damaged or cut off at byte 5"),
        (element(b""), "damaged or cut off at byte 4"),
        (element(b"\x40"), "damaged or cut off at byte 4"),
    ],
    ids=["cut off", "second cut off", "child cut off", "half an identifier", "no size", "half a size"],
)
def test_webm_that_breaks_its_promise_is_unusable(body: bytes, words: str) -> None:
    with pytest.raises(AudioUnusable, match=words):
        check(ContainerFormat.WEBM, body)


def riff(*chunks: bytes, form: bytes = b"RIFF") -> bytes:
    return form + b"\0\0\0\0WAVE" + b"".join(chunks)


def chunk(name: bytes, content: bytes, *, length: int | None = None, order: str = "<") -> bytes:
    body = name + struct.pack(f"{order}I", len(content) if length is None else length) + content
    return body + b"\0" * (len(content) % 2)


DS64 = struct.pack("<QQQI", 0, 6, 3, 0)


@pytest.mark.parametrize(
    "body",
    [
        riff(chunk(b"fmt ", bytes(16)), chunk(b"data", bytes(6))),
        riff(chunk(b"LIST", bytes(3)), chunk(b"data", bytes(6))),
        riff(chunk(b"data", bytes(6), length=0xFFFFFFFF)),
        riff(chunk(b"data", bytes(6), length=0x7FFFFFFF)),
        riff(chunk(b"data", bytes(6), length=0x7FFFF000)),
        riff(chunk(b"ds64", DS64), chunk(b"data", bytes(6), length=0xFFFFFFFF), form=b"RF64"),
        riff(chunk(b"data", bytes(6), order=">"), form=b"RIFX"),
        riff(chunk(b"fmt ", bytes(16))),
        riff(chunk(b"data", bytes(6)), chunk(b"LIST", b"", length=99)),
    ],
    ids=["plain", "odd chunk", "unknown", "unknown", "unknown", "rf64", "rifx", "no samples", "later chunk cut off"],
)
def test_wav_that_holds_its_samples_passes(body: bytes) -> None:
    check(ContainerFormat.WAV, body)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (riff(chunk(b"data", bytes(6), length=7)), "should have 7 bytes, and 6 are present"),
        (riff(chunk(b"LIST", bytes(3)), chunk(b"data", bytes(6), length=8)), "should have 8 bytes, and 6 are present"),
        (riff(chunk(b"data", bytes(6), length=7, order=">"), form=b"RIFX"), "should have 7 bytes, and 6 are present"),
        (
            riff(chunk(b"ds64", DS64), chunk(b"data", bytes(4), length=0xFFFFFFFF), form=b"RF64"),
            "its block of samples should have 6 bytes, and 4 are present",
        ),
    ],
    ids=["cut off", "after an odd chunk", "rifx", "rf64"],
)
def test_wav_that_breaks_its_promise_is_unusable(body: bytes, words: str) -> None:
    with pytest.raises(AudioUnusable, match=words):
        check(ContainerFormat.WAV, body)


def test_aiff_that_lacks_samples_is_unusable() -> None:
    body = b"FORM\0\0\0\0AIFF" + chunk(b"COMM", bytes(18), order=">") + chunk(b"SSND", bytes(6), length=9, order=">")
    with pytest.raises(AudioUnusable, match="should have 9 bytes, and 6 are present"):
        check(ContainerFormat.AIFF, body)
