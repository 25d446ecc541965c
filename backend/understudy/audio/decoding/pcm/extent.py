"""Find where uncompressed samples begin and end in a file, whose header may be wrong about it.

A program that writes to a pipe, or that was killed, leaves a length of 0, a placeholder, or the length that it had
planned. The samples are then those up to the end of the file.
"""

from dataclasses import dataclass, field

from understudy.audio.decoding.containers.beginnings import Beginnings
from understudy.audio.decoding.containers.structure import describe_placeholder, is_impossible
from understudy.audio.decoding.pcm.chunks import SkipChunks, skip_w64
from understudy.audio.decoding.pcm.encoding import PcmLayout
from understudy.audio.decoding.pcm.foreign import is_foreign
from understudy.audio.decoding.source_file import Source, read_at
from understudy.schemas.inference.finding import Finding, FindingCode

# Lengths near these stand for "not known": 2^31 and 2^32, less the bytes of headers and of an unfinished block.
_PLACEHOLDERS = ((0x7FFF_0000, 0x8000_0000), (0xFFFF_0000, 0xFFFF_FFFF), (0x7FFF_FFFF_FFFF_0000, 1 << 64))
_BLANK = b"\0 \t\r\n"
# Fewer bytes than this behind the samples are taken for an addition of another program and not for sound.
_LEAST_SOUND = 512
_STEP = 1 << 20
_W64_PADDING = 7


@dataclass(frozen=True)
class Block:
    """The bytes of samples that a header declares: from `begin` on `declared` bytes; None where it does not say."""

    begin: int
    declared: int | None


@dataclass
class Extent:
    """The bytes of samples in the file, and the offset at which the recording ends."""

    begin: int
    length: int
    end: int
    findings: list[Finding] = field(default_factory=list)


def measure_extent(source: Source, layout: PcmLayout, block: Block, skip: SkipChunks, beginnings: Beginnings) -> Extent:
    """Return the samples of a file; `skip` returns the chunks from an offset on."""
    extent = _find_extent(source, layout, block, skip, beginnings)
    _note_part_of_frame(source, extent, layout, padding=_W64_PADDING if skip is skip_w64 else 1)
    return extent


def _find_extent(source: Source, layout: PcmLayout, block: Block, skip: SkipChunks, beginnings: Beginnings) -> Extent:
    size = beginnings.size
    if block.begin > size:
        return Extent(size, 0, size)
    present = size - block.begin
    declared = block.declared
    if declared is None or declared > present or (declared == 0 and present):
        if declared == 0 and skip(source, block.begin, size).end >= size:
            return Extent(block.begin, 0, size)
        return _read_to_end(layout, block, beginnings.find_next(block.begin) or size)
    tail = skip(source, block.begin + declared, size)
    extent = Extent(block.begin, declared, tail.end)
    rest = size - tail.end
    if tail.samples:
        extent.findings.append(
            Finding(
                code=FindingCode.UNHEARD_STREAM,
                detail=f"The file holds a second block of samples of {tail.samples} bytes, which was not scored.",
                bytes=tail.samples,
            )
        )
    if rest == 0 or beginnings.is_at(tail.end):
        return extent
    end = beginnings.find_next(block.begin) or size  # samples may be missing before another recording
    if end < block.begin + declared:
        return _read_to_end(layout, block, end)
    behind = beginnings.find_behind(tail.end)
    if behind is not None and behind - tail.end < _LEAST_SOUND:  # frames without a mark, behind a few bytes
        end = min(end, behind)
    if tail.count or end - tail.end < _LEAST_SOUND or is_blank(source, tail.end, end):
        return extent
    if is_foreign(source, layout, block.begin, tail.end, end):
        return extent
    return _read_beyond(layout, block, declared, end)


def find_end(source: Source, block: Block, skip: SkipChunks, beginnings: Beginnings) -> int:
    """Return where a recording of compressed samples ends, and another one may begin."""
    size = beginnings.size
    behind = size + 1 if block.declared is None else block.begin + block.declared
    if block.begin >= size or behind > size or not block.declared:
        return beginnings.find_next(block.begin) or size
    end = skip(source, behind, size).end
    if end == size or beginnings.is_at(end):
        return end
    beginning = beginnings.find_next(block.begin)  # samples may be missing before another recording
    return end if beginning is None or beginning > behind else beginning


def measure_compressed(
    source: Source, block: Block, block_bytes: int, skip: SkipChunks, beginnings: Beginnings
) -> Extent:
    """Return the compressed samples of a file, in whole blocks of `block_bytes`, and the end of their recording.

    A decoder would decode a part of a block, or the bytes that pad the chunk, as noise.
    """
    size = beginnings.size
    end = find_end(source, block, skip, beginnings)
    known = block.declared is not None and block.declared > 0 and not _is_placeholder(block.declared)
    declared = block.declared if known and block.declared is not None and not is_impossible(block.declared) else None
    present = max(0, min(end, size) - block.begin)
    length = present if declared is None else min(present, declared)
    rest = length % block_bytes if length > block_bytes else 0
    extent = Extent(block.begin, length - rest, end)
    if declared is None:
        extent.findings.append(describe_placeholder("The header does not say how long the sound is"))
    elif declared > present:
        detail = (
            f"The file is cut off, or bytes are missing within it: its header promises {declared} bytes of sound, and "
            f"{present} are present."
        )
        extent.findings.append(Finding(code=FindingCode.TRUNCATED, detail=detail, bytes=declared - present))
    elif rest and not is_blank(source, block.begin + length - rest, block.begin + length):
        extent.findings.append(
            Finding(
                code=FindingCode.TRAILING_DATA,
                detail=f"The last {rest} bytes of the sound are less than one block of {block_bytes} bytes and were "
                "not decoded.",
                bytes=rest,
            )
        )
    return extent


def _read_to_end(layout: PcmLayout, block: Block, end: int) -> Extent:
    """Return the samples up to byte `end`, where the file or the recording ends."""
    present = end - block.begin
    extent = Extent(block.begin, present, end)
    if (declared := block.declared) is None or declared == 0 or _is_placeholder(declared):
        finding = describe_placeholder("The header does not say how long the sound is", layout.to_seconds(present))
    elif is_impossible(declared, layout.to_seconds(declared)):
        reason = f"The length of the sound in the header, {declared} bytes, cannot be true"
        finding = describe_placeholder(reason, layout.to_seconds(present))
    else:
        finding = Finding(
            code=FindingCode.TRUNCATED,
            detail=f"The file is cut off: its header promises {layout.to_seconds(declared):.2f} s of sound, and "
            f"{layout.to_seconds(present):.2f} s are present; {declared - present} bytes are missing.",
            start=layout.to_seconds(present),
            end=layout.to_seconds(declared),
            bytes=declared - present,
        )
    extent.findings.append(finding)
    return extent


def _read_beyond(layout: PcmLayout, block: Block, declared: int, end: int) -> Extent:
    present = end - block.begin
    extent = Extent(block.begin, present, end)
    extent.findings.append(
        Finding(
            code=FindingCode.LENGTH_MISMATCH,
            detail=f"The header promises {layout.to_seconds(declared):.2f} s of sound; "
            f"{present - declared} bytes follow; they were scored as sound, up to {layout.to_seconds(present):.2f} s.",
            start=layout.to_seconds(declared),
            end=layout.to_seconds(present),
            bytes=present - declared,
        )
    )
    return extent


def _note_part_of_frame(source: Source, extent: Extent, layout: PcmLayout, *, padding: int) -> None:
    """Name the bytes behind the last whole frame; a file that was cut off is named already.

    Up to `padding` zeros may fill up the chunk. Where its length is known one is named: only W64 counts them.
    """
    rest = extent.length % layout.frame_bytes
    if not rest or any(finding.code is FindingCode.TRUNCATED for finding in extent.findings):
        return
    last = read_at(source, extent.begin + extent.length - rest, rest)
    if rest <= padding and (extent.findings or padding > 1) and not last.strip(b"\0"):
        return
    extent.findings.append(
        Finding(
            code=FindingCode.TRAILING_DATA,
            detail=f"The last {rest} bytes of the samples are less than one frame of {layout.frame_bytes} bytes "
            f"({layout.channels} channel(s)) and were not decoded.",
            bytes=rest,
        )
    )


def is_blank(source: Source, offset: int, size: int) -> bool:
    """Return whether all bytes from `offset` on are zeros, spaces or line ends."""
    while offset < size:
        part = read_at(source, offset, _STEP)
        if not part or part.strip(_BLANK):
            return False
        offset += len(part)
    return True


def _is_placeholder(length: int) -> bool:
    return any(low <= length <= high for low, high in _PLACEHOLDERS)
