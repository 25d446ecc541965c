"""Walk the frames of mp3 and of raw AAC."""

import re
from collections.abc import Callable

from understudy.audio.decoding.containers.beginnings import Beginnings
from understudy.audio.decoding.containers.detect_container import ContainerFormat, detect_frames, detect_frames_at
from understudy.audio.decoding.containers.mpeg_frames import read_adts_length, read_mpeg_frame
from understudy.audio.decoding.containers.mpeg_tags import skip_id3, skip_tags
from understudy.audio.decoding.containers.structure import Structure
from understudy.audio.decoding.source_file import Source, read_at

_STEP = 1 << 20
_RUN_BYTES = 1 << 15  # four of the longest frames
_HEAD = 8
_SYNC = re.compile(rb"\xff[\xe0-\xff]")
_MAX_BREAKS = 256
_MAX_FALSE = 20_000  # places that look like a frame and are none, after which no more are looked for


def walk_frames(source: Source, kind: ContainerFormat, size: int, beginnings: Beginnings) -> Structure:
    """Return where the frames end and a recording of another kind begins; the decoder finds what is damaged itself."""
    structure = Structure(size)
    measure = _measure_mp3() if kind is ContainerFormat.MP3 else _measure_adts
    offset = skip_id3(source)
    false = 0
    for _ in range(_MAX_BREAKS):
        last, end = _follow(source, offset, size, measure)
        begin = skip_tags(source, end, size)
        if begin >= size:
            break
        if begin > end and measure(read_at(source, begin, _HEAD), 0):
            offset = begin
            continue
        beginning = beginnings.find_next(last + 1)
        start = begin if beginning is None else skip_id3(source, beginning)
        if beginning != start >= end and detect_frames_at(source, start, size) is kind:
            offset = start
            continue
        following, found, false = _find_frames(source, begin, beginning or size, false)
        places = [place for place in (beginning, following) if place is not None]
        if not places:
            break
        if min(places) != following or found is not kind:
            structure.end = min(begin, *places)
            break
        offset = following
    return structure


def _measure_mp3() -> Callable[[bytes, int], int]:
    """Return a function that gives the bytes of the frame at an offset of some data; 0 where no frame is."""
    known: dict[bytes, int] = {}

    def measure(data: bytes, at: int) -> int:
        head = data[at : at + 4]
        length = known.get(head)
        if length is None:
            frame = read_mpeg_frame(head)
            length = known[head] = frame.length if frame else 0
        return length

    return measure


def _measure_adts(data: bytes, at: int) -> int:
    return read_adts_length(data[at : at + _HEAD]) or 0


def _follow(source: Source, offset: int, size: int, measure: Callable[[bytes, int], int]) -> tuple[int, int]:
    """Return where the last of the frames that follow each other from byte `offset` on begins, and where it ends."""
    last = offset
    while offset < size:
        data = read_at(source, offset, _STEP)
        at, most = 0, len(data) - _HEAD
        while at <= most and (length := measure(data, at)):
            last, at = offset + at, at + length
        offset += at
        if at <= most or not at:
            break
    return last, offset


def _find_frames(source: Source, offset: int, size: int, false: int) -> tuple[int | None, ContainerFormat | None, int]:
    """Return the next place where frames follow each other, and their kind; and the false places so far."""
    while offset < size:
        data = read_at(source, offset, _STEP + _RUN_BYTES)
        for sync in _SYNC.finditer(data, 0, _STEP + 1):
            if (kind := detect_frames(data, sync.start())) is not None:
                return offset + sync.start(), kind, false
            false += 1
            if false > _MAX_FALSE:
                return None, None, false
        offset += _STEP
    return None, None, false
