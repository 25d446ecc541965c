"""Measure the tags before, behind and between the frames of mp3 and raw AAC files."""

import re
from io import BytesIO

from understudy.audio.decoding.containers.mpeg.frames import XING, read_mpeg_frame
from understudy.audio.decoding.source_file import Source, read_at

_MAX_TAGS = 64
_MOST_LYRICS = 1 << 20
_LYRICS_END = re.compile(b"LYRICS200|LYRICSEND")
_ID3V1, _ID3V1_BYTES, _ID3V1_PLUS_BYTES = b"TAG", 128, 227


def skip_id3(source: Source, begin: int = 0) -> int:
    """Return the offset of the first byte after all ID3v2 tags at `begin` (ID3v2.4.0 section 3.1), at most 64."""
    return skip_id3_counted(source, begin)[0]


def skip_id3_counted(source: Source, begin: int) -> tuple[int, int]:
    """Return the same, and the number of the tags."""
    offset = begin
    for count in range(_MAX_TAGS):
        tag = read_at(source, offset, 10)
        if len(tag) < 10 or tag[:3] != b"ID3" or max(tag[6:]) > 127:
            return offset, count
        body = tag[6] << 21 | tag[7] << 14 | tag[8] << 7 | tag[9]
        offset += 10 + body + (10 if tag[5] & 0x10 else 0)
    return offset, _MAX_TAGS


def skip_tags(source: Source, offset: int, size: int) -> int:
    """Return the offset behind the tags at byte `offset`, at most 64: ID3v1, ID3v2, APE and Lyrics3.

    Sources: ID3v1.1, ID3v2.4.0, APEv2 at hydrogenaudio.org, Lyrics3 v2.00 at id3.org.
    """
    for _ in range(_MAX_TAGS):
        head = read_at(source, offset, 32)
        if head[:3] == _ID3V1:
            length = _ID3V1_PLUS_BYTES if head[3:4] == b"+" else _ID3V1_BYTES
        elif head[:8] == b"APETAGEX" and len(head) == 32:
            length = int.from_bytes(head[12:16], "little") + (32 if head[23] & 0x80 else 0)
        elif head[:11] == b"LYRICSBEGIN":
            found = _LYRICS_END.search(read_at(source, offset, _MOST_LYRICS))
            length = found.end() if found else 0
        else:
            length = skip_id3(source, offset) - offset
        if length <= 0:
            break
        offset += length
    return min(offset, size)


def measure_tags(source: Source, offset: int, size: int) -> int:
    """Return the bytes of tags at `offset`, behind the last frame of mp3 or raw AAC: ID3v1, APE and Lyrics3."""
    end = skip_tags(source, offset, size)
    tail = read_at(source, size - _ID3V1_BYTES, _ID3V1_BYTES) if size - end > _ID3V1_BYTES else b""
    return end - offset + (_ID3V1_BYTES if tail[:3] == _ID3V1 else 0)


def measure_file_head(data: bytes) -> int:
    """Return the bytes with which another mp3 file begins in a packet; 0 where none does.

    FFmpeg puts the tags between two files, ID3v1 behind the first and ID3v2 before the second, in front of the frame
    that follows. That frame holds no sound where it has a Xing or Info header.
    """
    offset = skip_id3(BytesIO(data), _ID3V1_BYTES if data[:3] == _ID3V1 else 0)
    frame = read_mpeg_frame(data[offset : offset + 4])
    if frame is not None and data[offset + frame.xing_offset : offset + frame.xing_offset + 4] in XING:
        offset += frame.length
    return min(offset, len(data))
