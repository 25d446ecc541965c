"""Walk the frames of an AMR file (RFC 4867 section 5)."""

import re

from understudy.audio.decoding.containers.beginnings import Beginnings
from understudy.audio.decoding.containers.structure import Structure
from understudy.audio.decoding.source_file import Source, read_at

_WIDE = b"#!AMR-WB\n"
_NARROW = b"#!AMR\n"
# Bytes of a frame by its type, without its first byte; sound, then comfort noise, then frames that were lost.
_NARROW_SIZES = dict(enumerate((12, 13, 15, 17, 19, 20, 26, 31, 5))) | {15: 0}
_WIDE_SIZES = dict(enumerate((17, 23, 32, 36, 40, 46, 50, 58, 60, 5))) | {14: 0, 15: 0}
_RUN = 8  # frames in a row that tell them from other data
_LONGEST = 61
_STEP = 1 << 20
_MAX_BREAKS = 256
_MOST_SEARCHED = 1 << 21  # bytes in which frames are looked for behind damage: the search takes 0.2 s for a MiB


def _make_pattern(sizes: dict[int, int], count: str) -> re.Pattern[bytes]:
    """Return a pattern of frames in a row; a frame of zeros is none, as it stands for padding."""
    forms = b"|".join(b"[\\x%02x\\x%02x].{%d}" % (kind << 3, kind << 3 | 4, sizes[kind]) for kind in sizes)
    return re.compile(b"(?:(?!\\0{%d})(?:%s))%s" % (sizes[0] + 1, forms, count.encode()), re.DOTALL)


_PATTERNS = {
    mark: (_make_pattern(sizes, "++"), _make_pattern(sizes, f"{{{_RUN}}}"), sizes)
    for mark, sizes in ((_WIDE, _WIDE_SIZES), (_NARROW, _NARROW_SIZES))
}


def walk_amr(source: Source, size: int, beginnings: Beginnings) -> Structure:
    """Return where the frames end, and the stretches of them that are given to the decoder."""
    structure = Structure(size)
    head = read_at(source, 0, len(_WIDE))
    mark = next((each for each in _PATTERNS if head.startswith(each)), None)
    if mark is None:
        return structure
    frames, run, sizes = _PATTERNS[mark]
    parts = [(0, 0)]
    offset = len(mark)
    left = _MOST_SEARCHED
    for _ in range(_MAX_BREAKS):
        end = _follow(source, offset, size, frames)
        parts[-1] = parts[-1][0], end
        beginning = beginnings.find_behind(max(len(mark), end - _LONGEST))
        limit = min(beginning or size, end + left)
        following = _find_run(source, end, limit, run)
        left -= (limit if following is None else following) - end
        if following is None or (beginning is not None and beginning < following):
            structure.end = end if beginning is None or beginning >= end else _strip_zeros(source, beginning)
            parts[-1] = parts[-1][0], structure.end
            if beginning is None:
                _describe_rest(structure, read_at(source, end, _LONGEST), sizes)
            break
        structure.add_gap("amr", end, following)
        parts.append((following, following))
        offset = following
    structure.parts = parts
    return structure


def _describe_rest(structure: Structure, rest: bytes, sizes: dict[int, int]) -> None:
    """Note a last frame that is cut off; other bytes behind the frames are left to the caller."""
    length = 1 + sizes.get(rest[0] >> 3, -1) if rest and rest[0] and not rest[0] & 0x83 else 0
    if len(rest) < length:
        structure.add_cut_off("its last frame", length, len(rest))
        structure.end += len(rest)


def _strip_zeros(source: Source, end: int) -> int:
    """Return where the zeros before byte `end` begin: those between two recordings look like a part of a frame."""
    return end - _LONGEST + len(read_at(source, end - _LONGEST, _LONGEST).rstrip(b"\0"))


def _follow(source: Source, offset: int, size: int, frames: re.Pattern[bytes]) -> int:
    """Return the offset behind the frames that follow each other from byte `offset` on."""
    while offset < size:
        found = frames.match(read_at(source, offset, _STEP))
        if found is None:
            break
        offset += found.end()
    return offset


def _find_run(source: Source, offset: int, size: int, run: re.Pattern[bytes]) -> int | None:
    """Return the next place where frames follow each other; None where there is none."""
    while offset < size:
        if found := run.search(read_at(source, offset, _STEP + _RUN * _LONGEST)):
            return offset + found.start()
        offset += _STEP
    return None
