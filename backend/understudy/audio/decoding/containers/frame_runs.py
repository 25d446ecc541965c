"""Walk the frames of mp3 and of raw AAC."""

from collections.abc import Callable

from understudy.audio.decoding.containers.beginnings import Beginnings
from understudy.audio.decoding.containers.detect_container import ContainerFormat, detect_frames_at
from understudy.audio.decoding.containers.mpeg.frame_search import find_frames_from
from understudy.audio.decoding.containers.mpeg.frames import read_adts_length, read_mpeg_frame
from understudy.audio.decoding.containers.mpeg.tags import skip_id3, skip_tags
from understudy.audio.decoding.containers.structure import Structure
from understudy.audio.decoding.source_file import Source, read_at

_STEP = 1 << 20
_HEAD = 8
_MAX_BREAKS = 256
# FFmpeg looks for frames in as many bytes of other data, and names them; it is slow where they look like frames.
_MOST_OTHER = 1 << 13


def walk_frames(source: Source, kind: ContainerFormat, size: int, beginnings: Beginnings) -> Structure:
    """Return where the frames end, or a recording of another kind begins, and where long stretches hold no frames.

    The decoder finds what is damaged in shorter ones itself.
    """
    structure = Structure(size)
    measure = _measure_mp3() if kind is ContainerFormat.MP3 else _measure_adts
    offset, part = skip_id3(source), 0
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
        found = find_frames_from(source, begin, beginning or size)
        if found is None or found[1] != kind:
            if beginning is not None or found is not None:
                structure.end = begin if beginning is None else min(begin, beginning)
            elif size - begin > _MOST_OTHER:
                structure.end = begin
            break
        offset = found[0]
        if offset - begin > (_MOST_OTHER if kind is ContainerFormat.MP3 else 0):  # FFmpeg loses good frames of AAC, too
            structure.add_gap(kind.value, begin, offset)
            structure.parts = [*(structure.parts or []), (part, begin)]
            part = offset
    if structure.parts is not None:
        structure.parts.append((part, structure.end))
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
