"""Walk the elements of a WebM or Matroska file. Sources: RFC 8794 and RFC 9559."""

from understudy.audio.decoding.containers.beginnings import Beginnings
from understudy.audio.decoding.containers.structure import Structure, find, is_impossible
from understudy.audio.decoding.source_file import Source, read_at

_HEADER = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"
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


def walk_elements(source: Source, size: int, max_elements: int, beginnings: Beginnings) -> Structure:
    """Return what at most `max_elements` elements say.

    An element of unknown size is entered and its children are looked at instead: a live recording, such as a browser's
    MediaRecorder makes, is one segment of unknown size. So is every segment, because the child that is damaged or cut
    off says whether sound is lost.
    """
    structure = Structure(size)
    offset = begin = previous = clusters = 0
    segment: tuple[int, int] | None = None
    for _ in range(max_elements):
        if offset >= size:
            break
        name, content, length = _read_element(source, offset)
        if name == _HEADER and offset:
            structure.end = offset
            break
        if name not in _ELEMENTS:
            following = find(source, _CLUSTER, offset, size)
            start = previous if clusters else find(source, _CLUSTER, previous, size)  # tracks hold marks of flac
            beginning = None if start is None else beginnings.find_next(start + 1)
            if following is None or (beginning is not None and beginning < following):
                _end_before(structure, source, previous, offset, beginning)
                break
            structure.add_gap("WebM", offset, following)
            structure.parts = [*(structure.parts or []), (begin, offset)]  # FFmpeg would look for tracks in the rest
            offset = begin = following
            continue
        clusters += name == _CLUSTER
        previous = offset
        if content > size:
            structure.add_cut_off(f"the element at byte {offset}", content - offset, size - offset)
            break
        if length is not None and name in (_SEGMENT, _CLUSTER) and is_impossible(length):
            structure.add_cut_off(f"the element at byte {offset}", length, size - content)
            length = None
        if length is None:
            offset = content
        elif name == _SEGMENT:
            segment, offset = (content, length) if content + length > size else segment, content
        elif content + length <= size:
            offset = content + length
        else:
            sound = not (clusters and name in _SILENT_ELEMENTS)
            structure.end = beginnings.find_next(content) or size
            structure.add_cut_off(f"the element at byte {offset}", length, structure.end - content, sound=sound)
            break
    if structure.parts is not None:
        structure.parts.append((begin, structure.end))
    if segment is not None and not structure.findings and sum(segment) > structure.end:
        structure.add_cut_off("its segment", segment[1], structure.end - segment[0])
    return structure


def _end_before(structure: Structure, source: Source, previous: int, offset: int, beginning: int | None) -> None:
    """End the recording before the bytes at `offset`, which are no element, or before a recording that begins there.

    Where the recording begins within the element at `previous`, that one is cut off.
    """
    if beginning is not None and beginning < offset:
        structure.end = beginning
        structure.add_cut_off(f"the element at byte {previous}", offset - previous, beginning - previous)
        return
    size, rest = structure.end, read_at(source, offset, 4)
    if size - offset < 4 and any(element.startswith(rest) for element in _ELEMENTS):
        structure.add_cut_off(f"the element at byte {offset}", 4, size - offset)
    else:
        structure.end = offset


def _read_element(source: Source, offset: int) -> tuple[bytes, int, int | None]:
    """Return identifier, offset of the content and length of the element at `offset`; None for an unknown length."""
    head = read_at(source, offset, 16)
    name = head[: _measure_vint(head)]
    width = _measure_vint(head[len(name) :])
    content = offset + len(name) + width
    length = int.from_bytes(head[len(name) : len(name) + width]) & ((1 << 7 * width) - 1)
    return name, content, None if length == (1 << 7 * width) - 1 else length


def _measure_vint(head: bytes) -> int:
    """Return the width in bytes of the EBML variable-size integer that begins `head` (RFC 8794 section 4)."""
    return 9 - head[0].bit_length() if head else 1
