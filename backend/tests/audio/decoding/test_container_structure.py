"""Each structural promise of a container, kept and broken, on the smallest files that make it."""

import io
import struct

import numpy as np
import pytest

from understudy.audio.decoding.containers import container_structure, ogg_pages
from understudy.audio.decoding.containers.container_structure import walk_container
from understudy.audio.decoding.containers.detect_container import ContainerFormat
from understudy.audio.decoding.containers.ogg_pages import compute_checksum
from understudy.audio.decoding.containers.structure import describe_trailing
from understudy.errors import AudioUnusable
from understudy.schemas.inference.finding import Finding


def walk(kind: ContainerFormat, body: bytes) -> list[Finding]:
    """Return what the walk found, and the bytes that it leaves behind the recording."""
    file = io.BytesIO(body)
    structure = walk_container(file, kind)
    assert file.tell() == 0
    rest = len(body) - structure.end
    return [*structure.findings, describe_trailing(rest)] if rest else structure.findings


def check(kind: ContainerFormat, body: bytes) -> None:
    assert walk(kind, body) == []


def check_finding(kind: ContainerFormat, body: bytes, code: str, words: str, count: int | None) -> None:
    [finding] = walk(kind, body)
    assert (finding.code, finding.bytes) == (code, count)
    assert words in finding.detail


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
    ("body", "code", "words", "count"),
    [
        (
            box(b"moov", bytes(4)) + box(b"mdat", bytes(20))[:-3],
            "truncated",
            "its 'mdat' box should have 28 bytes, and 25 are present",
            3,
        ),
        (box(b"moov") + box(b"mdat", length=7), "trailing_data", "8 bytes behind the sound", 8),
        (box(b"moov") + struct.pack(">I4sQ", 1, b"mdat", 15), "trailing_data", "16 bytes behind", 16),
        (box(b"moov") + box(b"mdat") + b"\n", "trailing_data", "1 bytes behind", 1),
        (
            box(b"moov") + box(b"mdat") + box(b"free", bytes(4))[:-3],
            "structure",
            "its 'free' box should have 12 bytes, and 9 are present. That part holds no sound",
            3,
        ),
        (box(b"moov") + box(b"free", bytes(4))[:-3], "truncated", "its 'free' box should have 12 bytes", 3),
    ],
    ids=["cut off", "short length", "short long length", "line end", "silent box", "before the sound"],
)
def test_mp4_that_breaks_its_promise_says_so(body: bytes, code: str, words: str, count: int) -> None:
    check_finding(ContainerFormat.MP4, body, code, words, count)


@pytest.mark.parametrize("body", [box(b"ftyp", b"M4A ") + box(b"mdat", bytes(9)), b""])
def test_mp4_without_its_description_is_unusable(body: bytes) -> None:
    with pytest.raises(AudioUnusable, match=r"its 'moov' box, .* is missing"):
        walk(ContainerFormat.MP4, body)


def test_a_second_mp4_ends_the_first() -> None:
    one = box(b"ftyp", b"M4A ") + box(b"moov") + box(b"mdat", bytes(9))
    assert walk_container(io.BytesIO(one * 2), ContainerFormat.MP4).end == len(one)


def page(
    number: int,
    *,
    first: bool = False,
    last: bool = False,
    serial: int = 7,
    content: bytes = b"",
    segments: bool = True,
) -> bytes:
    table = bytes([len(content)]) if segments else b""
    flags = 4 * last + 2 * (first or number == 0)
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, 0, serial, number, 0, len(table))
    body = head + table + content
    return body[:22] + struct.pack("<I", compute_checksum(body)) + body[26:]


@pytest.mark.parametrize(
    "body",
    [
        page(0, content=b"abc") + page(1) + page(2, last=True, content=b"d"),
        page(5, first=True) + page(6, last=True, segments=False),
        page(0) + page(0, serial=8) + page(1, serial=8, last=True) + page(1, last=True),
    ],
    ids=["three pages", "empty last page", "two streams"],
)
def test_ogg_of_pages_in_order_passes(body: bytes) -> None:
    check(ContainerFormat.OGG, body)


@pytest.mark.parametrize(
    ("body", "code", "words", "count"),
    [
        (page(0) + page(1), "truncated", "lacks its end-of-stream mark", None),
        (page(0, last=True) + page(0, serial=8), "truncated", "lacks its end-of-stream mark", None),
        (page(0) + page(2, last=True), "gap", "1 pages of the Ogg file are missing between page 0 and page 2", None),
        (page(3, first=True) + page(3, last=True), "gap", "Page 3 of the Ogg file follows page 3", None),
        (page(0) + b"X" + page(1, last=True), "gap", "1 bytes from byte 28 on", 1),
        (page(0) + b"X" + page(5, last=True), "gap", "1 bytes from byte 28 on", 1),
        (page(0) + page(1, last=True)[:26], "truncated", "its last page should have 27 bytes, and 26 are present", 1),
        (
            page(0) + page(1, last=True, content=b"abcd")[:-1],
            "truncated",
            "its last page should have 32 bytes, and 31 are present",
            1,
        ),
        (page(0, last=True) + b"\n", "trailing_data", "1 bytes behind the sound", 1),
        (
            page(0) + page(1, content=b"abc").replace(b"abc", b"abd") + page(2, last=True),
            "gap",
            "31 bytes from byte 28 on are damaged",
            31,
        ),
    ],
    ids=[
        "no last page",
        "one without",
        "gap",
        "repeated",
        "junk",
        "page lost to junk",
        "half head",
        "half",
        "behind",
        "wrong checksum",
    ],
)
def test_ogg_that_breaks_its_promise_says_so(body: bytes, code: str, words: str, count: int | None) -> None:
    check_finding(ContainerFormat.OGG, body, code, words, count)


def test_ogg_pages_without_a_beginning_are_a_later_piece() -> None:
    with pytest.raises(AudioUnusable, match=r"a later piece of a recording \(Ogg\)"):
        walk(ContainerFormat.OGG, page(4) + page(5, last=True))


def test_the_decoder_of_ogg_gets_whole_pages_only() -> None:
    begin, end = page(0), page(1, last=True)
    structure = walk_container(io.BytesIO(begin + b"OggS" * 1000 + end + b"OggS" * 1000), ContainerFormat.OGG)
    assert structure.parts == [(0, len(begin)), (len(begin) + 4000, len(begin) + 4000 + len(end))]
    assert [finding.bytes for finding in structure.findings] == [4000]
    assert structure.end == structure.parts[-1][1]


@pytest.mark.parametrize("false", [b"OggS\0", b"OggS\0\0" + bytes(20) + b"\xff" + b"\xff" * 255])
def test_false_ogg_pages_are_given_up_after_a_number_of_them(false: bytes) -> None:
    file = CountedFile(page(0) + false * 5000 + bytes(65_536) + page(1, last=True))
    structure = walk_container(file, ContainerFormat.OGG)
    *gaps, rest = structure.findings
    assert structure.parts == [(0, len(page(0)))]
    assert (len(gaps), rest.code) == (ogg_pages.MAX_BREAKS, "truncated")
    assert "is damaged in more than 256 places" in rest.detail
    assert file.count < (ogg_pages.MAX_BREAKS + 1) * (1 << 18)


def test_false_pages_behind_many_whole_ones_do_not_reach_the_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container_structure, "MAX_PARTS", 10)
    whole = page(0) + b"".join(page(number) for number in range(1, 20))
    structure = walk_container(io.BytesIO(whole + b"OggS" * 1000), ContainerFormat.OGG)
    assert structure.parts == [(0, len(whole) + 4 * ogg_pages.MAX_BREAKS)]
    assert [finding.code for finding in structure.findings] == ["truncated"]


EBML, SEGMENT, CLUSTER, BLOCK = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75", b"\xa3"
CUES = b"\x1c\x53\xbb\x6b"


def element(size: bytes, content: bytes = b"", name: bytes = EBML) -> bytes:
    return name + size + content


@pytest.mark.parametrize(
    "body",
    [
        element(b"\x82", b"ab"),
        element(b"\x40\x02", b"ab") + element(b"\x80", name=SEGMENT),
        element(b"\xff", element(b"\x81", b"a", CLUSTER), SEGMENT),
        element(b"\x01" + b"\xff" * 7, element(b"\xff", element(b"\x80", name=BLOCK), CLUSTER), SEGMENT),
    ],
    ids=["one byte of size", "two bytes of size", "unknown size", "unknown size in eight bytes"],
)
def test_webm_of_whole_elements_passes(body: bytes) -> None:
    check(ContainerFormat.WEBM, body)


@pytest.mark.parametrize(
    ("body", "code", "words", "count"),
    [
        (element(b"\x83", b"ab"), "truncated", "the element at byte 0 should have 3 bytes, and 2 are present", 1),
        (
            element(b"\x80") + element(b"\x82", b"a", CUES),
            "truncated",
            "the element at byte 5 should have 2 bytes, and 1 are present",
            1,
        ),
        (
            element(b"\xff", element(b"\x82", b"a", CLUSTER)),
            "truncated",
            "the element at byte 5 should have 2 bytes, and 1 are present",
            1,
        ),
        (element(b"\x80") + b"\x1a\x45", "truncated", "the element at byte 5", 2),
        (element(b""), "truncated", "the element at byte 0", 1),
        (element(b"\x80") + b"TAG", "trailing_data", "3 bytes behind", 3),
        (
            element(b"\x80") + element(b"\x80", name=CLUSTER) + element(b"\x85", b"ab", CUES),
            "structure",
            "the element at byte 10 should have 5 bytes, and 2 are present. That part holds no sound",
            3,
        ),
        (
            element(b"\x8f", element(b"\x80", name=CLUSTER) + element(b"\x85", b"ab", CUES), SEGMENT),
            "structure",
            "the element at byte 10 should have 5 bytes",
            3,
        ),
        (
            element(b"\x8f", element(b"\x82", b"ab", CLUSTER), SEGMENT),
            "truncated",
            "its segment should have 15 bytes, and 7 are present",
            8,
        ),
        (element(b"\x80") + b"junk" + element(b"\x80", name=CLUSTER), "gap", "4 bytes from byte 5 on", 4),
    ],
    ids=[
        "cut off",
        "second cut off",
        "child cut off",
        "half an identifier",
        "no size",
        "behind",
        "cues",
        "cues of a segment",
        "segment",
        "junk",
    ],
)
def test_webm_that_breaks_its_promise_says_so(body: bytes, code: str, words: str, count: int) -> None:
    check_finding(ContainerFormat.WEBM, body, code, words, count)


class CountedFile(io.BytesIO):
    """Counts the calls of `read` and the bytes that they return."""

    reads = 0
    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.reads += 1
        self.count += len(data)
        return data


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        (ContainerFormat.WEBM, element(b"\x80", name=b"\xec")),
        (ContainerFormat.MP4, box(b"free")),
        (ContainerFormat.OGG, page(0, content=b"")),
    ],
)
def test_a_walk_looks_at_a_bounded_number_of_parts(
    kind: ContainerFormat, part: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_structure, "MAX_PARTS", 100)
    file = CountedFile((box(b"moov") if kind is ContainerFormat.MP4 else b"") + part * 5000)
    walk_container(file, kind)
    assert file.reads <= 102 + 1
    assert file.count <= 102 * (27 + 255) + len(part) * 5000  # Ogg's last read looks for false pages


def packets(count: int, lead: bytes = b"") -> bytes:
    return (lead + b"\x47" + bytes(187)) * count


@pytest.mark.parametrize("lead", [b"", b"time"], ids=["188 bytes", "192 bytes"])
@pytest.mark.parametrize(
    ("behind", "found"),
    [
        (b"", []),
        (b"\n", [("trailing_data", 1)]),
        (bytes(1000), [("trailing_data", 1000)]),
        (np.random.default_rng(2).bytes(300_000).replace(b"G", b"g"), [("trailing_data", 300_000)]),
    ],
    ids=["whole", "line end", "zeros", "junk"],
)
def test_what_lies_behind_the_last_packet_of_a_transport_stream_is_named(
    lead: bytes, behind: bytes, found: list[tuple[str, int]]
) -> None:
    findings = walk(ContainerFormat.MPEGTS, packets(20, lead) + behind)
    assert [(finding.code, finding.bytes) for finding in findings] == found


@pytest.mark.parametrize("lead", [b"", b"time"])
def test_a_transport_stream_that_ends_within_a_packet_says_so(lead: bytes) -> None:
    check_finding(ContainerFormat.MPEGTS, packets(20, lead)[:-3], "truncated", "its last packet", 3)


def list_samples(name: bytes, count: int) -> bytes:
    """A box that lists `count` samples, and says nothing about each."""
    between = {b"trun": bytes(4), b"stsz": bytes(4) + b"\0\0\0\x01"}[name]
    return box(name, between + struct.pack(">I", count) + bytes(8))


@pytest.mark.parametrize("length", [None, 5000], ids=["whole", "cut off"])
@pytest.mark.parametrize("name", [b"trun", b"stsz"])
def test_mp4_that_lists_more_samples_than_it_has_bytes_is_not_given_to_the_decoder(
    name: bytes, length: int | None
) -> None:
    """FFmpeg takes 400 MB for 33 million samples of a file of 40 KB."""
    for count, refused in ((40, False), (1 << 25, True)):
        body = box(b"ftyp", b"M4A ") + box(b"mdat", bytes(99)) + box(b"moov", list_samples(name, count), length=length)
        if not refused:
            assert len(walk(ContainerFormat.MP4, body)) == (length is not None)
            continue
        with pytest.raises(AudioUnusable, match="at byte 119 of the mp4 file lists more samples than the file can"):
            walk(ContainerFormat.MP4, body)


def test_the_fragments_before_a_damaged_one_are_decoded() -> None:
    good = box(b"ftyp", b"iso5") + box(b"moov") + box(b"moof", list_samples(b"trun", 9)) + box(b"mdat", bytes(99))
    bad = box(b"moof", list_samples(b"trun", 1 << 25)) + box(b"mdat", bytes(99))
    structure = walk_container(io.BytesIO(good + bad), ContainerFormat.MP4)
    assert structure.parts == [(0, len(good))]
    assert [(each.code, each.bytes) for each in structure.findings] == [("truncated", len(bad))]


def test_the_name_of_a_box_within_a_picture_is_no_list_of_samples() -> None:
    picture = b"\xff\xd8\xff\xe0trun" + b"\xff" * 40 + b"\xff\xff\xff\xffstsz" + b"\xff" * 40
    check(ContainerFormat.MP4, box(b"ftyp", b"M4A ") + box(b"moov", picture) + box(b"mdat", bytes(9)))
