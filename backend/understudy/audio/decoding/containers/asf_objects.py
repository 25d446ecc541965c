"""Walk the objects of an ASF file, which holds wma.

Source: Microsoft's Advanced Systems Format (ASF) Specification, revision 01.20.03.
"""

from understudy.audio.decoding.containers.beginnings import Beginnings
from understudy.audio.decoding.containers.structure import Structure, find
from understudy.audio.decoding.source_file import Source, read_at

_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
# The simple index, the index, the media object index and the timecode index.
_INDEXES = tuple(
    bytes.fromhex(name)
    for name in (
        "90080033b1e5cf1189f400a0c90349cb",
        "d329e2d6da35d111903400a0c90349be",
        "f803b1fead12644c840f2a1d2f7ad48c",
        "d03fb73c4a0c0348953dedf7b6228f0c",
    )
)
_OBJECT_HEAD, _DATA_HEAD = 24, 50
_HEADER_BYTES = 1 << 16
_BROADCAST = 1
# How a packet begins: error correction data of two bytes that are zero (section 5.2.1).
_PACKET = b"\x82\0\0"
_MAX_BREAKS = 256
_STEP = 1 << 20


def walk_asf(source: Source, size: int, beginnings: Beginnings) -> Structure:
    """Return the ends of the sound and of the file, and where packets are damaged."""
    structure = Structure(size)
    offset = int.from_bytes(read_at(source, 16, 8), "little")
    head = read_at(source, 0, min(size, offset, _HEADER_BYTES))
    at = head.find(_PROPERTIES)
    packet = int.from_bytes(head[at + 92 : at + 96], "little") if at >= 0 else 0
    data = read_at(source, offset, _DATA_HEAD)
    if data[:16] != _DATA or len(data) < _DATA_HEAD or not 16 <= packet <= _STEP:
        return structure
    promised = offset + int.from_bytes(data[16:24], "little")
    if head[at + 88] & _BROADCAST or promised <= offset + _DATA_HEAD:
        promised = 0
    end = _walk_packets(source, offset + _DATA_HEAD, promised, packet, structure, beginnings)
    if end < size and read_at(source, end, 16) not in _INDEXES and not beginnings.is_at(end):
        beginning = beginnings.find_next(max(0, end - packet + 1))
        if beginning is not None and beginning < end:  # it begins within the last packet, which is cut off
            structure.add_cut_off("its last packet", packet, packet - (end - beginning))
            end = beginning
    while read_at(source, end, 16) in _INDEXES:
        length = max(_OBJECT_HEAD, int.from_bytes(read_at(source, end + 16, 8), "little"))
        if end + length > size:
            structure.add_cut_off("its index", length, size - end, sound=False)
        end = min(size, end + length)
    structure.end = end
    if structure.parts is not None:
        structure.parts.append((structure.parts.pop()[0], end))
    return structure


def _walk_packets(
    source: Source, begin: int, promised: int, packet: int, structure: Structure, beginnings: Beginnings
) -> int:
    """Return the offset behind the last packet; the header says that they end at byte `promised`, or 0."""
    size = structure.end
    offset, part = begin, 0
    for _ in range(_MAX_BREAKS):
        limit = promised if offset < promised < size else size  # bytes that were put in move packets behind that end
        bad = _find_bad_packet(source, offset, limit, packet)
        if bad is None or read_at(source, bad, 16) in _INDEXES:
            end = limit if bad is None else bad
            break
        beginning = beginnings.find_next(max(offset, bad - packet + 1))
        following = _find_packet(source, bad + 1, size, packet)
        if following is None or (beginning is not None and beginning < following):
            end = bad if beginning is None else min(bad, beginning)
            break
        structure.add_gap("wma", bad, following)
        structure.parts = [*(structure.parts or [(0, 0)])[:-1], (part, bad), (following, size)]
        offset = part = following
    else:
        end = limit
    if promised > end:
        structure.add_cut_off("its sound", promised - begin, end - begin)
    elif not promised and (rest := (end - part if part else end - begin) % packet):
        structure.add_cut_off("its last packet", packet, rest)
    return end


def _find_bad_packet(source: Source, offset: int, end: int, packet: int) -> int | None:
    """Return the offset of the first packet that does not begin as packets do; None where all before `end` do."""
    step = packet * max(1, _STEP // packet)
    while offset < end:
        data = read_at(source, offset, min(step, end - offset))
        marks = [data[at::packet] for at in range(len(_PACKET))]
        whole = len(marks[-1])
        wrong = [
            bad
            for mark, column in zip(_PACKET, marks, strict=True)
            if (bad := len(column) - len(column.lstrip(bytes([mark])))) < whole
        ]
        if wrong:
            return offset + min(wrong) * packet
        if len(data) < step:
            return None
        offset += step
    return None


def _find_packet(source: Source, offset: int, size: int, packet: int) -> int | None:
    """Return the next place where a packet begins and another behind it, or the last one; None without one."""
    for _ in range(_MAX_BREAKS):
        found = find(source, _PACKET, offset, size)
        if found is None:
            return None
        if found + packet == size or read_at(source, found + packet, len(_PACKET)) == _PACKET:
            return found
        offset = found + 1
    return None
