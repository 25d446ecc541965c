"""Walk the parts of a container, and find what is missing, damaged or left over.

A decoder reads a file that was cut off as a shorter recording, and the answer to it would look right. A structure that
was written for an unknown length, such as a live WebM, promises nothing. At most MAX_PARTS parts are looked at; what
lies behind them is left to the decoder, which finds gaps and a missing end by the time stamps.
"""

from dataclasses import dataclass, field

from understudy.audio.decoding.detect_container import TS_PACKET, ContainerFormat
from understudy.audio.decoding.pcm.extent import describe_trailing
from understudy.audio.decoding.source_file import Source, measure_size, read_at
from understudy.errors import AudioUnusable
from understudy.schemas.inference.finding import Finding, FindingCode

MAX_PARTS = 20_000
"""Most boxes, elements or pages that are looked at."""

# The flag of an Ogg page that ends its stream, and of one that begins a stream (RFC 3533 section 6).
_LAST_PAGE, _FIRST_PAGE = 4, 2
_CLUSTER = b"\x1f\x43\xb6\x75"
# The elements of a file's top level, of a segment and of a cluster (RFC 9559 section 27.1); Void and CRC-32.
_LONG_ELEMENTS = bytes.fromhex(
    "1a45dfa3 18538067 114d9b74 1549a966 1654ae6b 1043a770 1f43b675 1c53bb6b 1941a469 1254c367"
)
_ELEMENTS = frozenset(
    {
        *(_LONG_ELEMENTS[at : at + 4] for at in range(0, len(_LONG_ELEMENTS), 4)),
        *(bytes([short]) for short in bytes.fromhex("e7 a3 a0 a7 ab af ec bf")),
        b"\x58\x54",
    }
)
_TAG_BYTES = 128
_STEP = 1 << 16


@dataclass
class Structure:
    """Holds what a walk found, and the offset at which the recording ends; another one may begin there."""

    end: int
    findings: list[Finding] = field(default_factory=list)

    def add(self, code: FindingCode, detail: str, count: int | None = None) -> None:
        self.findings.append(Finding(code=code, detail=detail, bytes=count))

    def add_cut_off(self, part: str, promised: int, present: int) -> None:
        present = max(present, 0)
        self.add(
            FindingCode.TRUNCATED,
            f"The file is cut off: {part} should have {promised} bytes, and {present} are present.",
            promised - present,
        )

    def add_gap(self, name: str, begin: int, end: int) -> None:
        self.add(
            FindingCode.GAP,
            f"{end - begin} bytes from byte {begin} on are no part of the {name} file and were not decoded.",
            end - begin,
        )


def walk_container(source: Source, kind: ContainerFormat) -> Structure:
    """Return what the container's structure says about the file; leaves its position at the start.

    Raises AudioUnusable for an mp4 file without the box that describes its sound.
    """
    size = measure_size(source)
    match kind:
        case ContainerFormat.MP4:
            structure = _walk_boxes(source, size)
        case ContainerFormat.WEBM:
            structure = _walk_elements(source, size)
        case ContainerFormat.OGG:
            structure = _walk_pages(source, size)
        case ContainerFormat.MPEGTS:
            structure = Structure(size)
            if rest := size % TS_PACKET:
                structure.add_cut_off("its last packet", TS_PACKET, rest)
        case _:
            structure = Structure(size)
    source.seek(0)
    return structure


def measure_tags(source: Source, offset: int, size: int) -> int:
    """Return the bytes of tags at `offset`, behind the last frame of mp3 or raw AAC: ID3v1, APE and Lyrics3."""
    tail = read_at(source, max(offset, size - _TAG_BYTES), _TAG_BYTES)
    ends_with_id3 = len(tail) == _TAG_BYTES and tail[:3] == b"TAG"
    rest = size - offset
    head = read_at(source, offset, 16)
    if head.startswith((b"APETAGEX", b"LYRICSBEGIN", b"TAG+", b"ID3")):
        return rest
    return _TAG_BYTES if ends_with_id3 else 0


def _walk_boxes(source: Source, size: int) -> Structure:
    """Walk the top-level boxes of an mp4 file (ISO/IEC 14496-12 section 4.2)."""
    structure = Structure(size)
    offset, described, media = 0, False, False
    for _ in range(MAX_PARTS):
        if offset + 8 > size:
            break
        head = read_at(source, offset, 16)
        name = head[4:8]
        length, header = int.from_bytes(head[:4]), 8
        if length == 1:
            length, header = int.from_bytes(head[8:16]), 16
        elif length == 0 and name == b"mdat":
            length = size - offset
        if name == b"ftyp" and described and media:
            structure.end = offset
            break
        if length < header or not all(byte == 0xA9 or 32 <= byte < 127 for byte in name):
            structure.findings.append(describe_trailing(size - offset))
            offset = size
            break
        if offset + length > size:
            structure.add_cut_off(f"its {name.decode('latin-1')!r} box", length, size - offset)
            described = described or name == b"moov"
            offset = size
            break
        described = described or name == b"moov"
        media = media or name == b"mdat"
        offset += length
    if structure.end == size and 0 < size - offset < 8 and read_at(source, offset, 8).strip(b"\0"):
        structure.findings.append(describe_trailing(size - offset))
    if not described:
        raise AudioUnusable(
            "The mp4 file is cut off: its 'moov' box, which says where the sound lies, is missing.",
            remedy="Repair the file with the program that recorded it; nothing can be decoded without that box.",
        )
    return structure


def _walk_elements(source: Source, size: int) -> Structure:
    """Walk the elements of a WebM or Matroska file. Sources: RFC 8794 and RFC 9559.

    An element of unknown size is entered and its children are looked at instead: a live recording, such as a browser's
    MediaRecorder makes, is one segment of unknown size.
    """
    structure = Structure(size)
    offset = 0
    for _ in range(MAX_PARTS):
        if offset >= size:
            break
        head = read_at(source, offset, 16)
        id_width = _measure_vint(head)
        if head[:id_width] not in _ELEMENTS:
            following = _find(source, _CLUSTER, offset, size)
            if following is None:
                _add_rest(structure, source, offset, size)
                break
            structure.add_gap("WebM", offset, following)
            offset = following
            continue
        width = _measure_vint(head[id_width:])
        if id_width + width > len(head):
            structure.add_cut_off(f"the element at byte {offset}", id_width + width, len(head))
            break
        length = int.from_bytes(head[id_width : id_width + width]) & ((1 << 7 * width) - 1)
        content = offset + id_width + width
        if length == (1 << 7 * width) - 1:
            offset = content
        elif content + length > size:
            structure.add_cut_off(f"the element at byte {offset}", length, size - content)
            break
        else:
            offset = content + length
    return structure


def _add_rest(structure: Structure, source: Source, offset: int, size: int) -> None:
    """Note the bytes behind the last element: a cut-off identifier, or no part of the file."""
    rest = read_at(source, offset, 4)
    if size - offset < 4 and any(element.startswith(rest) for element in _ELEMENTS):
        structure.add_cut_off(f"the element at byte {offset}", 4, size - offset)
    else:
        structure.findings.append(describe_trailing(size - offset))


def _measure_vint(head: bytes) -> int:
    """Return the width in bytes of the EBML variable-size integer that begins `head` (RFC 8794 section 4)."""
    return 9 - head[0].bit_length() if head else 1


def _walk_pages(source: Source, size: int) -> Structure:
    """Walk the pages of an Ogg file (RFC 3533 section 6)."""
    structure = Structure(size)
    last_numbers, ended = dict[bytes, int](), set[bytes]()
    offset, damaged = 0, False
    for _ in range(MAX_PARTS):
        if offset >= size:
            break
        head = read_at(source, offset, 27 + 255)
        if head[:4] != b"OggS":
            following = _find(source, b"OggS", offset, size)
            if following is None:
                structure.findings.append(describe_trailing(size - offset))
                break
            structure.add_gap("Ogg", offset, following)
            offset, damaged = following, True
            continue
        flags, serial, number = head[5], head[14:18], int.from_bytes(head[18:22], "little")
        length = 27 + head[26] + sum(head[27 : 27 + head[26]]) if len(head) >= 27 else 27
        if offset + length > size:
            structure.add_cut_off("its last page", length, size - offset)
            return structure
        last = last_numbers.get(serial)
        if last is not None and not flags & _FIRST_PAGE and number != last + 1 and not damaged:
            structure.add(FindingCode.GAP, _describe_missing_pages(last, number))
        last_numbers[serial], damaged = number, False
        if flags & _LAST_PAGE:
            ended.add(serial)
        offset += length
    else:
        return structure
    if set(last_numbers) - ended:
        structure.add(
            FindingCode.TRUNCATED,
            "The Ogg file lacks its end-of-stream mark: it was cut off between two pages, or never finished.",
        )
    return structure


def _describe_missing_pages(last: int, number: int) -> str:
    if number > last + 1:
        return f"{number - last - 1} pages of the Ogg file are missing between page {last} and page {number}."
    return f"Page {number} of the Ogg file follows page {last}: pages are repeated or out of order."


def _find(source: Source, word: bytes, offset: int, size: int) -> int | None:
    """Return the offset of the next `word` of four bytes."""
    while offset < size:
        data = read_at(source, offset, _STEP + 3)
        if (at := data.find(word)) >= 0:
            return offset + at
        offset += _STEP
    return None
