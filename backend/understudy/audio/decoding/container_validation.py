"""Check that a file contains everything that its container's structure promises.

A decoder reads a file that was cut off as a shorter recording, and the answer to it would look right. Each check raises
AudioUnusable and names the missing part. A structure that was written for an unknown length, such as a wav from a pipe
or a live WebM, promises nothing and passes.
"""

from typing import Literal

from understudy.audio.decoding.detect_container import ContainerFormat, measure_size
from understudy.audio.decoding.source_file import Source
from understudy.errors import AudioUnusable

_UNKNOWN_SIZES = (0x7FFFFFFF, 0x7FFFF000, 0xFFFFFFFF)
# The flag of an Ogg page that ends its stream (RFC 3533 section 6).
_LAST_PAGE = 4


def validate_container(source: Source, kind: ContainerFormat) -> None:
    """Raise AudioUnusable when the file ends before its container does; leaves its position at the start."""
    size = measure_size(source)
    match kind:
        case ContainerFormat.WAV | ContainerFormat.AIFF:
            _validate_chunks(source, size)
        case ContainerFormat.MP4:
            _validate_boxes(source, size)
        case ContainerFormat.WEBM:
            _validate_elements(source, size)
        case ContainerFormat.OGG:
            _validate_pages(source, size)
        case ContainerFormat.FLAC | ContainerFormat.MP3 | ContainerFormat.AAC:
            pass
    source.seek(0)


def _make_cut_off_error(part: str, promised: int, present: int) -> AudioUnusable:
    return AudioUnusable(
        f"The file is cut off: {part} should have {promised} bytes, and {max(present, 0)} are present."
    )


def _validate_chunks(source: Source, size: int) -> None:
    """Check that the chunk of samples lies within the file: RIFF, RIFX, RF64 (EBU Tech 3306) and AIFF."""
    header = source.read(12)
    order: Literal["little", "big"] = "little" if header[:4] in (b"RIFF", b"RF64") else "big"
    offset, long_size = 12, None
    while offset + 8 <= size:
        source.seek(offset)
        name = source.read(4)
        length = int.from_bytes(source.read(4), order)
        if name == b"ds64":
            source.seek(8, 1)
            long_size = int.from_bytes(source.read(8), "little")
        if name in (b"data", b"SSND"):
            if length == 0xFFFFFFFF and long_size:
                length = long_size
            if length not in _UNKNOWN_SIZES and offset + 8 + length > size:
                raise _make_cut_off_error("its block of samples", length, size - offset - 8)
            return
        offset += 8 + length + length % 2


def _validate_boxes(source: Source, size: int) -> None:
    """Check that each top-level box lies within the file and that a `moov` box describes the sound.

    Source: ISO/IEC 14496-12 section 4.2.
    """
    offset, described = 0, False
    while offset + 8 <= size:
        source.seek(offset)
        head = source.read(16)
        length, header = int.from_bytes(head[:4]), 8
        if length == 1:
            length, header = int.from_bytes(head[8:16]), 16
        elif length == 0:
            length = size - offset
        if length < header:
            raise AudioUnusable(f"The mp4 file is damaged: the box at byte {offset} has an invalid length.")
        if offset + length > size:
            raise _make_cut_off_error(f"its {head[4:8]!r} box".replace("b'", "'"), length, size - offset)
        described = described or head[4:8] == b"moov"
        offset += length
    if not described:
        raise AudioUnusable("The mp4 file is cut off: its 'moov' box, which says where the sound lies, is missing.")


def _validate_elements(source: Source, size: int) -> None:
    """Check that each element lies within the file.

    An element of unknown size is entered and its children are checked instead: a live recording, such as a browser's
    MediaRecorder makes, is one segment of unknown size. Sources: RFC 8794 and RFC 9559.
    """
    offset = 0
    while offset < size:
        _, id_width = _read_vint(source, offset)
        length, width = _read_vint(source, offset + id_width)
        content = offset + id_width + width
        if length == (1 << 7 * width) - 1:
            offset = content
        elif content + length > size:
            raise _make_cut_off_error(f"the element at byte {offset}", length, size - content)
        else:
            offset = content + length


def _read_vint(source: Source, offset: int) -> tuple[int, int]:
    """Return value and width in bytes of the EBML variable-size integer at `offset` (RFC 8794 section 4)."""
    source.seek(offset)
    raw = source.read(8)
    width = 9 - raw[0].bit_length() if raw else 9
    if width > len(raw):
        raise AudioUnusable(f"The WebM file is damaged or cut off at byte {offset}.")
    return int.from_bytes(raw[:width]) & ((1 << 7 * width) - 1), width


def _validate_pages(source: Source, size: int) -> None:
    """Check that pages follow each other without a gap and that the last page of each stream carries the end mark.

    Source: RFC 3533 section 6.
    """
    offset, last_numbers, ended = 0, dict[bytes, int](), set[bytes]()
    while offset < size:
        source.seek(offset)
        head = source.read(27 + 255)
        if len(head) < 27:
            raise _make_cut_off_error("its last page", 27, len(head))
        if head[:4] != b"OggS":
            raise AudioUnusable(f"The Ogg file is damaged: no page begins at byte {offset}.")
        flags, serial, number, segments = head[5], head[14:18], int.from_bytes(head[18:22], "little"), head[26]
        length = 27 + segments + sum(head[27 : 27 + segments])
        if offset + length > size:
            raise _make_cut_off_error("its last page", length, size - offset)
        if serial in last_numbers and number != last_numbers[serial] + 1:
            raise AudioUnusable(
                f"The Ogg file is damaged: page {number} follows page {last_numbers[serial]} of the same stream."
            )
        last_numbers[serial] = number
        if flags & _LAST_PAGE:
            ended.add(serial)
        offset += length
    if set(last_numbers) - ended:
        raise AudioUnusable("The Ogg file is cut off: its last page lacks the end-of-stream mark.")
