"""Skip the chunks behind the samples of a file."""

from collections.abc import Callable
from dataclasses import dataclass

from understudy.audio.decoding.containers.beginnings import begins_with_mark
from understudy.audio.decoding.source_file import Source, read_at

MAX_PARTS = 4096
"""Most chunks that are looked at before the samples, and again behind them."""

_HEAD = 24
_SAMPLES = (b"data", b"SSND")


@dataclass(frozen=True)
class Tail:
    """The chunks behind the samples: they reach up to byte `end`, `count` of them; `samples` more bytes of samples."""

    end: int
    count: int = 0
    samples: int = 0


SkipChunks = Callable[[Source, int, int], Tail]
# Takes the first bytes of a chunk; returns its name, the bytes of its head, and those of its content and padding.
_ReadHead = Callable[[bytes], tuple[bytes, int, int]]


def _read_riff(head: bytes) -> tuple[bytes, int, int]:
    return head[:4], 8, int.from_bytes(head[4:8], "little")


def _read_aiff(head: bytes) -> tuple[bytes, int, int]:
    return head[:4], 8, int.from_bytes(head[4:8])


def _read_caf(head: bytes) -> tuple[bytes, int, int]:
    return head[:4], 12, int.from_bytes(head[4:12])


def _read_w64(head: bytes) -> tuple[bytes, int, int]:
    return head[:4], 24, max(0, int.from_bytes(head[16:24], "little") - 24)


def skip_riff(source: Source, offset: int, size: int) -> Tail:
    return _skip(source, offset, size, _read_riff, align=2)


def skip_aiff(source: Source, offset: int, size: int) -> Tail:
    """Skip the chunks of aiff and of RIFX, whose lengths are big-endian."""
    return _skip(source, offset, size, _read_aiff, align=2)


def skip_caf(source: Source, offset: int, size: int) -> Tail:
    return _skip(source, offset, size, _read_caf, align=1)


def skip_w64(source: Source, offset: int, size: int) -> Tail:
    return _skip(source, offset, size, _read_w64, align=8)


def skip_none(_source: Source, offset: int, _size: int) -> Tail:
    """Return that no chunks follow the samples."""
    return Tail(offset)


def _skip(source: Source, offset: int, size: int, read: _ReadHead, *, align: int) -> Tail:
    """Skip chunks that have a printable name and lie within the file.

    The samples are padded to `align` bytes, which some programs leave out.
    """
    plain = _walk(source, offset, size, read, align)
    gap = read_at(source, offset, -offset % align)
    if plain.count or not gap or gap.strip(b"\0"):
        return plain
    padded = _walk(source, offset + len(gap), size, read, align)
    return (
        padded if padded.count or padded.end >= size or begins_with_mark(read_at(source, padded.end, _HEAD)) else plain
    )


def _begins_recording(head: bytes) -> bool:
    """Return whether a recording begins here, or up to 7 bytes behind, which then are no name and length."""
    return any(begins_with_mark(head[at:]) for at in range(8))


def _walk(source: Source, offset: int, size: int, read: _ReadHead, align: int) -> Tail:
    samples = count = 0
    while offset < size and count < MAX_PARTS:
        head = read_at(source, offset, _HEAD)
        name, head_bytes, length = read(head)
        inside = offset + head_bytes + length <= size
        if len(name) < 4 or not inside or _begins_recording(head) or not all(32 <= byte < 127 for byte in name):
            break
        samples += length if name in _SAMPLES else 0
        offset += head_bytes + length
        offset = min(size, offset + -offset % align)
        count += 1
    return Tail(offset, count, samples)
