"""Walk the pages of an Ogg file (RFC 3533 section 6)."""

import re
import zlib
from dataclasses import dataclass, field

from understudy.audio.decoding.containers.beginnings import Beginnings
from understudy.audio.decoding.containers.detect_container import make_later_piece_error
from understudy.audio.decoding.containers.structure import Structure, find
from understudy.audio.decoding.source_file import Source, read_at
from understudy.schemas.inference.finding import FindingCode

MAX_BREAKS = 256
"""Most places at which pages are looked for again behind bytes that are none; what follows is not decoded."""

_PAGE = b"OggS\0"  # the capture pattern and the version
_FALSE_PAGE = re.compile(rb"OggS(?=[^\0])")
_HEAD = 27
_LAST_PAGE, _FIRST_PAGE = 4, 2
_CHECKSUM = slice(22, 26)
_STEP = 1 << 20
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True)
class _Page:
    flags: int
    serial: bytes
    number: int
    length: int
    whole: bool


@dataclass
class _Pages:
    """Holds the facts about the streams that the pages so far have given."""

    last_numbers: dict[bytes, int] = field(default_factory=dict)
    begun: set[bytes] = field(default_factory=set)
    ended: set[bytes] = field(default_factory=set)
    damaged: bool = False
    heads: bool = False
    """The last page begins a stream; where a page does after one that does not, another recording begins."""

    def follow(self, page: _Page, structure: Structure) -> None:
        last = self.last_numbers.get(page.serial)
        first = page.flags & _FIRST_PAGE
        if last is not None and not first and page.number != last + 1 and not self.damaged:
            structure.add(FindingCode.GAP, _describe_missing(last, page.number))
        self.last_numbers[page.serial], self.damaged = page.number, False
        self.heads = bool(first)
        if first:
            self.begun.add(page.serial)
        if page.flags & _LAST_PAGE:
            self.ended.add(page.serial)


def walk_pages(source: Source, size: int, max_pages: int, beginnings: Beginnings) -> Structure:
    """Return what the pages say; the decoder gets whole pages only, because it spends a second on 3 MB of false ones.

    At most `max_pages` pages are looked at one by one. Raises AudioUnusable for a file in which no stream begins.
    """
    structure, pages = Structure(size, parts=[]), _Pages()
    offset = begin = breaks = 0
    for _ in range(max_pages):
        if offset >= size:
            break
        page = _read_page(source, offset)
        if page is not None and offset + page.length > size:
            structure.add_cut_off("its last page", page.length, size - offset)
            return _finish(structure, begin, size, pages)
        if page is not None and page.whole:
            if page.flags & _FIRST_PAGE and pages.last_numbers and not pages.heads:
                structure.end = (
                    offset  # FFmpeg drops streams of another link, or decodes them with the first one's codec
                )
                return _finish(structure, begin, offset, pages, ended=True)
            pages.follow(page, structure)
            offset += page.length
            continue
        breaks += 1
        beginning = beginnings.find_next(offset)
        limit = size if beginning is None else beginning + 1
        following = find(source, _PAGE, offset + 1, limit) if breaks <= MAX_BREAKS else None
        _keep(structure, begin, offset)
        if following is None or (beginning is not None and beginning < following):
            structure.end = offset
            if breaks > MAX_BREAKS:
                structure.end = size
                _add_damaged(structure, size - offset)
            return _finish(structure, size, size, pages, ended=breaks <= MAX_BREAKS)
        structure.add_gap("Ogg", offset, following)
        offset = begin = following
        pages.damaged = True
    else:
        return _finish(structure, begin, _find_false_pages(source, offset, size, structure), pages)
    return _finish(structure, begin, size, pages, ended=True)


def _finish(structure: Structure, begin: int, end: int, pages: _Pages, *, ended: bool = False) -> Structure:
    """Keep the last stretch; `ended` says that all pages were seen, so that the mark of the end can be asked for."""
    if pages.last_numbers and not pages.begun and not structure.findings:
        raise make_later_piece_error("Ogg")
    _keep(structure, begin, end)
    if ended and set(pages.last_numbers) - pages.ended:
        structure.add(
            FindingCode.TRUNCATED,
            "The Ogg file lacks its end-of-stream mark: it was cut off between two pages, or never finished.",
        )
    return structure


def _keep(structure: Structure, begin: int, end: int) -> None:
    if structure.parts is not None and begin < end:
        structure.parts.append((begin, end))


def _read_page(source: Source, offset: int) -> _Page | None:
    """Return the page at `offset`; None where none begins. It is `whole` when its checksum is right."""
    head = read_at(source, offset, _HEAD + 255)
    if len(head) < _HEAD and head[:5] == _PAGE[: len(head)]:
        return _Page(0, b"", 0, _HEAD, whole=False)
    if head[:5] != _PAGE:
        return None
    table = head[_HEAD : _HEAD + head[26]]
    length = _HEAD + head[26] + sum(table)
    body = head[:length] if length <= len(head) else read_at(source, offset, length)
    checksum = int.from_bytes(body[_CHECKSUM], "little")
    whole = len(body) == length and checksum == compute_checksum(body[:22] + bytes(4) + body[26:])
    return _Page(head[5], head[14:18], int.from_bytes(head[18:22], "little"), length, whole)


def compute_checksum(data: bytes) -> int:
    """Return the CRC-32 of Ogg: the polynomial 0x04c11db7, without the reflection and the inversions of zlib's."""
    reflected = zlib.crc32(data.translate(_REVERSED), 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return int.from_bytes(reflected.to_bytes(4, "little").translate(_REVERSED))


def _add_damaged(structure: Structure, rest: int) -> None:
    detail = f"The Ogg file is damaged in more than {MAX_BREAKS} places; its last {rest} bytes were not decoded."
    structure.add(FindingCode.TRUNCATED, detail, rest)


def _find_false_pages(source: Source, offset: int, size: int, structure: Structure) -> int:
    """Return the end of what the decoder gets of a file of many pages: before too many false pages."""
    false = 0
    for start in range(offset, size, _STEP):
        for found in _FALSE_PAGE.finditer(read_at(source, start, _STEP)):
            false += 1
            if false > MAX_BREAKS:
                end = start + found.start()
                _add_damaged(structure, size - end)
                return end
    return size


def _describe_missing(last: int, number: int) -> str:
    if number > last + 1:
        return f"{number - last - 1} pages of the Ogg file are missing between page {last} and page {number}."
    return f"Page {number} of the Ogg file follows page {last}: pages are repeated or out of order."
