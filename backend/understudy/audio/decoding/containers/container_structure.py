"""Walk the parts of a container, and find what is missing, damaged or left over.

A decoder reads a file that was cut off as a shorter recording, and the answer to it would look right. A structure that
was written for an unknown length, such as a live WebM, promises nothing. At most MAX_PARTS parts are looked at; what
lies behind them is left to the decoder, which finds gaps and a missing end by the time stamps.
"""

from understudy.audio.decoding.containers.detect_container import TIMED_TS_PACKET, TS_PACKET, ContainerFormat
from understudy.audio.decoding.containers.ogg_pages import walk_pages
from understudy.audio.decoding.containers.structure import Structure, describe_trailing, find, is_impossible
from understudy.audio.decoding.source_file import Source, measure_size, read_at
from understudy.errors import AudioUnusable
from understudy.schemas.inference.finding import FindingCode

MAX_PARTS = 20_000
"""Most boxes, elements or pages that are looked at."""

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
# Boxes that hold no sound and do not say where it lies.
_SILENT_BOXES = (b"free", b"skip", b"wide", b"udta", b"meta", b"uuid", b"mfra")
# Boxes that list samples: their counts are found by the boxes within (ISO/IEC 14496-12 sections 8.7.3.2 and 8.8.8).
_INDEX_BOXES = (b"moov", b"moof")
_COUNTS = {b"trun": 8, b"stsz": 12}
_MOST_INDEX_BYTES, _MOST_LISTS = 16 << 20, 4096
_SEGMENT = b"\x18\x53\x80\x67"
# SeekHead, Cues, Tags, Chapters and Attachments hold no sound, nor do Void and CRC-32.
_SILENT_ELEMENTS = (
    b"\x11\x4d\x9b\x74",
    b"\x1c\x53\xbb\x6b",
    b"\x12\x54\xc3\x67",
    b"\x10\x43\xa7\x70",
    b"\x19\x41\xa4\x69",
    b"\xec",
    b"\xbf",
)
# The end of a transport stream is looked for in this many bytes.
_TAIL_BYTES = 1 << 20


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
            structure = walk_pages(source, size, MAX_PARTS)
        case ContainerFormat.MPEGTS:
            structure = _walk_packets(source, size)
        case _:
            structure = Structure(size)
    source.seek(0)
    return structure


def _walk_packets(source: Source, size: int) -> Structure:
    """Look for the last packet of an MPEG transport stream, and for what lies behind it."""
    structure = Structure(size)
    head = read_at(source, 0, 5)
    lead, length = (0, TS_PACKET) if head[:1] == b"G" else (4, TIMED_TS_PACKET)
    begin = max(0, size - _TAIL_BYTES)
    data = read_at(source, begin, size - begin)
    last = data.rfind(b"G")
    while last >= 2 * length and data[last::-length][:3] != b"GGG":
        last = data.rfind(b"G", 0, last)
    end = begin + last - lead + length if last >= 2 * length else size
    if end > size:
        structure.add_cut_off("its last packet", length, size - (end - length))
    elif end < size:
        structure.findings.append(describe_trailing(size - end))
    return structure


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
            if name in _INDEX_BOXES and _promises_too_much(source, offset, size - offset, size):
                return _refuse_fragment(structure, offset, size, decodable=described and media)
            part = f"its '{name.decode('latin-1')}' box" if name.isalnum() else f"the box at byte {offset}"
            structure.add_cut_off(part, length, size - offset, sound=not (media and name in _SILENT_BOXES))
            described = described or name == b"moov"
            offset = size
            break
        if name in _INDEX_BOXES and _promises_too_much(source, offset, length, size):
            return _refuse_fragment(structure, offset, size, decodable=described and media)
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


def _promises_too_much(source: Source, offset: int, length: int, size: int) -> bool:
    """Return whether the box lists more samples than the file has bytes: FFmpeg takes 400 MB for them at once."""
    data = read_at(source, offset, min(length, _MOST_INDEX_BYTES))
    for name, behind in _COUNTS.items():
        at = -1
        for _ in range(_MOST_LISTS):
            if (at := data.find(name, at + 1)) < 0:
                break
            box = int.from_bytes(data[max(0, at - 4) : at])
            count = int.from_bytes(data[at + behind : at + behind + 4])
            if 16 <= box <= _MOST_INDEX_BYTES and count > size:  # other lengths: the word stands in a picture
                return True
    return False


def _refuse_fragment(structure: Structure, offset: int, size: int, *, decodable: bool) -> Structure:
    """End the recording before a box whose list of samples is damaged; raise AudioUnusable where nothing is before it.

    The file goes to FFmpeg without the box and what follows.
    """
    detail = f"The box at byte {offset} of the mp4 file lists more samples than the file can hold: it is damaged."
    if not decodable:
        raise AudioUnusable(detail)
    structure.add(FindingCode.TRUNCATED, detail, size - offset)
    structure.parts = [(0, offset)]
    return structure


def _walk_elements(source: Source, size: int) -> Structure:
    """Walk the elements of a WebM or Matroska file. Sources: RFC 8794 and RFC 9559.

    An element of unknown size is entered and its children are looked at instead: a live recording, such as a browser's
    MediaRecorder makes, is one segment of unknown size. So is a segment that is cut off, because the child that is cut
    off says whether sound is lost.
    """
    structure = Structure(size)
    offset, clusters, segment = 0, 0, (0, 0)
    for _ in range(MAX_PARTS):
        if offset >= size:
            break
        name, content, length = _read_element(source, offset)
        if name not in _ELEMENTS:
            following = find(source, _CLUSTER, offset, size)
            if following is None:
                _add_rest(structure, source, offset, size)
                break
            structure.add_gap("WebM", offset, following)
            offset = following
            continue
        clusters += name == _CLUSTER
        if content > size:
            structure.add_cut_off(f"the element at byte {offset}", content - offset, size - offset)
            break
        if length is not None and name in (_SEGMENT, _CLUSTER) and is_impossible(length):
            structure.add_cut_off(f"the element at byte {offset}", length, size - content)
            length = None
        if length is None:
            offset = content
        elif name == _SEGMENT and content + length > size:
            segment, offset = (content, length), content
        elif content + length <= size:
            offset = content + length
        else:
            sound = not (clusters and name in _SILENT_ELEMENTS)
            structure.add_cut_off(f"the element at byte {offset}", length, size - content, sound=sound)
            break
    if segment[1] and not structure.findings:
        structure.add_cut_off("its segment", segment[1], size - segment[0])
    return structure


def _read_element(source: Source, offset: int) -> tuple[bytes, int, int | None]:
    """Return identifier, offset of the content and length of the element at `offset`; None for an unknown length."""
    head = read_at(source, offset, 16)
    name = head[: _measure_vint(head)]
    width = _measure_vint(head[len(name) :])
    content = offset + len(name) + width
    length = int.from_bytes(head[len(name) : len(name) + width]) & ((1 << 7 * width) - 1)
    return name, content, None if length == (1 << 7 * width) - 1 else length


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
