"""Measure the tags before, behind and between the frames of mp3 and raw AAC files."""

from io import BytesIO

from understudy.audio.decoding.containers.mpeg_frames import XING, read_mpeg_frame
from understudy.audio.decoding.source_file import Source, read_at

_MAX_TAGS = 64
_ID3V1, _ID3V1_BYTES = b"TAG", 128


def skip_id3(source: Source, begin: int = 0) -> int:
    """Return the offset of the first byte after all ID3v2 tags at `begin` (ID3v2.4.0 section 3.1), at most 64."""
    offset = begin
    for _ in range(_MAX_TAGS):
        tag = read_at(source, offset, 10)
        if len(tag) < 10 or tag[:3] != b"ID3" or max(tag[6:]) > 127:
            break
        body = tag[6] << 21 | tag[7] << 14 | tag[8] << 7 | tag[9]
        offset += 10 + body + (10 if tag[5] & 0x10 else 0)
    return offset


def measure_tags(source: Source, offset: int, size: int) -> int:
    """Return the bytes of tags at `offset`, behind the last frame of mp3 or raw AAC: ID3v1, APE and Lyrics3."""
    tail = read_at(source, max(offset, size - _ID3V1_BYTES), _ID3V1_BYTES)
    ends_with_id3 = len(tail) == _ID3V1_BYTES and tail[:3] == _ID3V1
    rest = size - offset
    head = read_at(source, offset, 16)
    if head.startswith((b"APETAGEX", b"LYRICSBEGIN", b"TAG+", b"ID3")):
        return rest
    return _ID3V1_BYTES if ends_with_id3 else 0


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
