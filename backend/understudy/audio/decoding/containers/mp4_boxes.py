"""Walk the top-level boxes of an mp4 file (ISO/IEC 14496-12 section 4.2)."""

from dataclasses import dataclass

from understudy.audio.decoding.containers.beginnings import Beginnings
from understudy.audio.decoding.containers.structure import Structure
from understudy.audio.decoding.source_file import Source, read_at
from understudy.errors import AudioUnusable
from understudy.schemas.inference.finding import FindingCode

# Boxes that hold no sound and do not say where it lies.
_SILENT_BOXES = (b"free", b"skip", b"wide", b"udta", b"meta", b"uuid", b"mfra")
# The boxes of a file's top level (ISO/IEC 14496-12 table 1, QuickTime, JUMBF). Others count where they fit in.
_KNOWN_BOXES = frozenset(
    {
        *_SILENT_BOXES,
        *(b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"sidx", b"ssix", b"prft", b"pdin", b"emsg", b"pnot", b"PICT"),
        *(b"imda", b"meco", b"mfro", b"jumb", b"junk", b"prfl"),
    }
)
_MOST_SILENT = 1024  # silent boxes in a row that other programs may leave
_LEAST_BOX_BYTES = 64  # on average, in a file of so many boxes that not all are looked at
# Boxes that list samples: their counts are found by the boxes within (ISO/IEC 14496-12 sections 8.7.3.2 and 8.8.8).
_INDEX_BOXES = (b"moov", b"moof")
_COUNTS = {b"trun": 8, b"stsz": 12}
_MOST_INDEX_BYTES, _MOST_LISTS = 16 << 20, 4096


@dataclass(frozen=True)
class _Box:
    offset: int
    name: bytes
    length: int
    header: int
    open_end: bool
    """The length is 0: the box reaches to the end of the file (section 4.2)."""

    @property
    def valid(self) -> bool:
        return self.length >= self.header and all(byte == 0xA9 or 32 <= byte < 127 for byte in self.name)

    @property
    def end(self) -> int:
        return self.offset + self.length

    def is_possible(self, size: int) -> bool:
        """Return whether a box may begin here: it has a known type, or it lies within the file of `size` bytes."""
        return self.valid and (self.name in _KNOWN_BOXES or self.end <= size)


def _read_box(source: Source, offset: int, size: int) -> _Box:
    head = read_at(source, offset, 16)
    name, length = head[4:8], int.from_bytes(head[:4])
    if length == 1:
        return _Box(offset, name, int.from_bytes(head[8:16]), 16, open_end=False)
    if length == 0 and name == b"mdat":
        return _Box(offset, name, size - offset, 8, open_end=True)
    return _Box(offset, name, length, 8, open_end=False)


def walk_boxes(source: Source, size: int, max_boxes: int, beginnings: Beginnings) -> Structure:
    """Return what at most `max_boxes` boxes say; raises AudioUnusable without the box that describes the sound."""
    structure = Structure(size)
    offset, previous, complete = 0, 0, 0
    silent = 0
    described = media = False
    for _ in range(max_boxes):
        if offset + 8 > size:
            structure.end = offset if complete and offset < size else structure.end
            break
        box = _read_box(source, offset, size)
        if complete and box.name in (b"ftyp", b"moov"):
            structure.end = offset if box.name == b"ftyp" else complete
            break
        if not box.is_possible(size):
            _end_before(structure, beginnings, previous, offset)
            break
        if box.end > size or box.open_end:
            beginning = beginnings.find_next(offset + box.header)
            structure.end = size if beginning is None else beginning
        length = min(box.length, structure.end - offset)
        if box.name in _INDEX_BOXES and _promises_too_much(source, offset, length, size):
            return _refuse_fragment(structure, offset, decodable=described and media)
        if box.end > structure.end and not box.open_end:
            part = f"its '{box.name.decode('latin-1')}' box" if box.name.isalnum() else f"the box at byte {offset}"
            sound = not (media and box.name in _SILENT_BOXES)
            structure.add_cut_off(part, box.length, structure.end - offset, sound=sound)
        described = described or box.name == b"moov"
        media = media or box.name == b"mdat"
        structure.fragmented = structure.fragmented or box.name == b"moof"
        previous, offset = offset, min(box.end, structure.end)
        if structure.end < size:
            break
        silent = silent + 1 if box.name in _SILENT_BOXES else 0
        if described and media:
            complete = complete or offset
            if silent > _MOST_SILENT:
                structure.end = offset
                break
    else:
        if complete and offset < max_boxes * _LEAST_BOX_BYTES:
            structure.end = offset
    if not described:
        raise AudioUnusable(
            "The mp4 file is cut off: its 'moov' box, which says where the sound lies, is missing.",
            remedy="Repair the file with the program that recorded it; nothing can be decoded without that box.",
        )
    return structure


def _end_before(structure: Structure, beginnings: Beginnings, previous: int, offset: int) -> None:
    """End the recording before the bytes at `offset`, which are no box, or before another one that begins earlier."""
    beginning = beginnings.find_next(previous + 8)
    structure.end = offset if beginning is None else min(offset, beginning)
    if structure.end < offset:
        structure.add_cut_off(f"the box at byte {previous}", offset - previous, structure.end - previous)


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


def _refuse_fragment(structure: Structure, offset: int, *, decodable: bool) -> Structure:
    """End the recording before a box whose list of samples is damaged; raise AudioUnusable where nothing is before it.

    The file goes to FFmpeg without the box and what follows.
    """
    detail = f"The box at byte {offset} of the mp4 file lists more samples than the file can hold: it is damaged."
    if not decodable:
        raise AudioUnusable(detail)
    structure.add(FindingCode.TRUNCATED, detail, structure.end - offset)
    structure.parts = [(0, offset)]
    return structure
