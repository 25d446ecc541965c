"""Detect a file's audio container by its content; its name is never used."""

from enum import StrEnum

from understudy.audio.decoding.mpeg_frames import read_adts_length, read_mpeg_frame
from understudy.audio.decoding.source_file import Source
from understudy.errors import AudioUnusable, NotAudio

_HEAD = 64
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_OTHERS = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89HDF", "an HDF5 file"),
    (b"version https://git-lfs", "a Git-LFS pointer"),
    (b"#EXTM3U", "a playlist"),
    (b"ffconcat", "a list of other files"),
    (b"<", "markup, such as HTML"),
    (b"RIFF", "a RIFF file other than wav"),
    (b"\x30\x26\xb2\x75", "a Windows Media file"),
    (b"#!AMR", "an AMR recording"),
)


class ContainerFormat(StrEnum):
    """Containers that can be opened."""

    WAV = "wav"
    AIFF = "aiff"
    FLAC = "flac"
    OGG = "ogg"
    MP3 = "mp3"
    AAC = "aac"
    MP4 = "mp4"
    WEBM = "webm"  # also every other Matroska file


def measure_size(source: Source) -> int:
    """Return the size of a seekable file in bytes; leaves its position at the start."""
    size = source.seek(0, 2)
    source.seek(0)
    return size


def detect_container(source: Source) -> ContainerFormat:
    """Return the container of a seekable file; leaves its position at the start.

    Raises AudioUnusable when the file is empty, and NotAudio with a guess at its true format when no container fits.
    """
    size = measure_size(source)
    if size == 0:
        raise AudioUnusable("The recording is empty: it has 0 bytes.", remedy="Send the bytes of the recording.")
    start = skip_id3(source)
    source.seek(start)
    head = source.read(_HEAD)
    kind = _detect_by_magic(head) or _detect_by_frames(source, start, size)
    source.seek(0)
    if kind is None:
        raise NotAudio(f"The file of {size} bytes is not in a supported audio format; it is {_describe(head)}.")
    return kind


def skip_id3(source: Source) -> int:
    """Return the offset of the first byte after all leading ID3v2 tags (ID3v2.4.0 section 3.1)."""
    offset = 0
    while True:
        source.seek(offset)
        tag = source.read(10)
        if len(tag) < 10 or tag[:3] != b"ID3" or max(tag[6:]) > 127:
            return offset
        body = tag[6] << 21 | tag[7] << 14 | tag[8] << 7 | tag[9]
        offset += 10 + body + (10 if tag[5] & 0x10 else 0)


def _detect_by_magic(head: bytes) -> ContainerFormat | None:
    if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:12] == b"WAVE":
        return ContainerFormat.WAV
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return ContainerFormat.AIFF
    if head[4:8] in _MP4_BOXES:
        return ContainerFormat.MP4
    return {b"fLaC": ContainerFormat.FLAC, b"OggS": ContainerFormat.OGG, b"\x1a\x45\xdf\xa3": ContainerFormat.WEBM}.get(
        head[:4]
    )


def _detect_by_frames(source: Source, start: int, size: int) -> ContainerFormat | None:
    """Recognize mp3 and raw AAC, which have no magic bytes.

    A frame header counts when another frame follows its frame, or when the file ends there.
    """
    source.seek(start)
    head = source.read(8)
    frame = read_mpeg_frame(head)
    adts = read_adts_length(head)
    length = frame.length if frame else adts
    if length is None:
        return None
    source.seek(start + length)
    following = source.read(8)
    if start + length < size and not (read_mpeg_frame(following) if frame else read_adts_length(following)):
        return None
    return ContainerFormat.MP3 if frame else ContainerFormat.AAC


def _describe(head: bytes) -> str:
    for magic, words in _OTHERS:
        if head.lstrip().startswith(magic):
            return words
    if all(byte >= 32 or byte in b"\t\r\n" for byte in head) and head.isascii():
        return "text"
    return f"in an unknown format (its first bytes are {head[:4].hex(' ')})"
