"""Find raw frames of mp3, mp2 and AAC among other bytes, by several frames in a row whose headers agree.

One header is a few bits, which occur in any data. Another header with the same layer, rate and channels at the place to
which the first one's length leads occurs by chance in a million gigabytes.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from understudy.audio.decoding.containers.mpeg.frames import LEAST_ADTS_BYTES, read_adts_length, read_mpeg_frame
from understudy.audio.decoding.source_file import Source, read_at

RUN_BYTES = 1 << 15
"""Bytes that hold a run of the longest frames."""

_FRAMES = 4
_HEAD = 8
_STEP = 1 << 20
_Numbers = NDArray[np.int64]
_Measure = Callable[[NDArray[np.uint8], _Numbers], tuple[_Numbers, _Numbers]]


def _list_mpeg_lengths() -> _Numbers:
    """Return the bytes of a frame by the second and third byte of its header; 0 where they begin none."""
    heads = (bytes((0xFF, 0xE0 | number >> 8, number & 0xFF, 0)) for number in range(1 << 13))
    return np.array([frame.length if (frame := read_mpeg_frame(head)) else 0 for head in heads], np.int64)


_MPEG_LENGTHS = _list_mpeg_lengths()
# Whether the second and third byte of a header may be so.
_POSSIBLE = np.zeros(1 << 16, bool)
_POSSIBLE[0xE000:] = _MPEG_LENGTHS > 0
_POSSIBLE[[second << 8 | third for second in (0xF0, 0xF1, 0xF8, 0xF9) for third in range(256)]] = True


def find_frames(data: bytes, limit: int | None = None) -> tuple[int, str] | None:
    """Return the first place before `limit` at which _FRAMES frames follow each other, and "mp3" or "aac"."""
    values = np.frombuffer(data, np.uint8)
    last = max(0, len(data) - _HEAD + 1)
    synced = np.flatnonzero(values[: last if limit is None else min(last, limit)] == 0xFF)
    synced = synced[_POSSIBLE[values[synced + 1].astype(np.uint16) << 8 | values[synced + 2]]]
    found = [
        (int(places[0]), kind)
        for kind, measure in (("mp3", _measure_mpeg), ("aac", _measure_adts))
        if len(places := _keep_runs(values, synced, measure))
    ]
    return min(found, default=None)


def find_frames_from(source: Source, offset: int, size: int) -> tuple[int, str] | None:
    """Return the same for a file from byte `offset` to before byte `size`."""
    for begin in range(offset, size, _STEP):
        data = read_at(source, begin, _STEP + RUN_BYTES)
        if (found := find_frames(data, min(_STEP, size - begin))) is not None:
            return begin + found[0], found[1]
    return None


def detect_run(data: bytes) -> str | None:
    """Return "mp3" or "aac" where _FRAMES frames whose headers agree begin `data`."""
    for kind, measure in (("mp3", _measure_mpeg_at), ("aac", _measure_adts_at)):
        at, known = 0, None
        for _ in range(_FRAMES):
            length, key = measure(data[at : at + _HEAD])
            if not length or known not in (None, key):
                break
            at, known = at + length, key
        else:
            return kind
    return None


def _measure_mpeg_at(head: bytes) -> tuple[int, bytes]:
    frame = read_mpeg_frame(head)
    return (frame.length, bytes((head[1] & 0xFE, head[2] & 0x0C))) if frame else (0, b"")


def _measure_adts_at(head: bytes) -> tuple[int, bytes]:
    return read_adts_length(head) or 0, bytes((head[1], head[2] & 0xFD, head[3] & 0xC0)) if len(head) > 3 else b""


def _measure_mpeg(values: NDArray[np.uint8], at: _Numbers) -> tuple[_Numbers, _Numbers]:
    """Return the lengths of the frames at `at`, 0 where none is, and what frames of one recording have in common."""
    second, third = values[at + 1].astype(np.int64), values[at + 2].astype(np.int64)
    lengths = np.where((values[at] == 0xFF) & (second >= 0xE0), _MPEG_LENGTHS[(second & 0x1F) << 8 | third], 0)
    return lengths, (second & 0xFE) << 8 | third & 0x0C


def _measure_adts(values: NDArray[np.uint8], at: _Numbers) -> tuple[_Numbers, _Numbers]:
    head = [values[at + place].astype(np.int64) for place in range(6)]
    lengths = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    valid = (head[0] == 0xFF) & (head[1] & 0xF6 == 0xF0) & (head[2] >> 2 & 15 <= 12) & (lengths >= LEAST_ADTS_BYTES)
    return np.where(valid, lengths, 0), head[1] << 16 | (head[2] & 0xFD) << 8 | head[3] & 0xC0


def _keep_runs(values: NDArray[np.uint8], places: _Numbers, measure: _Measure) -> _Numbers:
    """Return those of `places` at which _FRAMES frames that agree follow each other."""
    lengths, keys = measure(values, places)
    at = places
    for _ in range(_FRAMES - 1):
        following = at + lengths
        kept = (lengths > 0) & (following + _HEAD <= len(values))
        places, keys, at = places[kept], keys[kept], following[kept]
        lengths, later = measure(values, at)
        kept = (lengths > 0) & (later == keys)
        places, keys, at, lengths = places[kept], keys[kept], at[kept], lengths[kept]
    return places[lengths > 0]
