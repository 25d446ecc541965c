"""Collects what a walk through the parts of a container finds."""

from dataclasses import dataclass, field

from understudy.audio.decoding.source_file import Source, read_at
from understudy.schemas.inference.finding import Finding, FindingCode

_STEP = 1 << 16
_IMPOSSIBLE_BYTES = 1 << 40
_IMPOSSIBLE_SECONDS = 31 * 86_400.0


@dataclass
class Structure:
    """Holds what a walk found, and the offset at which the recording ends; another one may begin there."""

    end: int
    parts: list[tuple[int, int]] | None = None
    """The stretches of the file that are given to the decoder, from one byte to before another; None for all of it."""
    findings: list[Finding] = field(default_factory=list)
    fragmented: bool = False
    """An mp4 file in fragments, as a live recording is written."""

    def add(self, code: FindingCode, detail: str, count: int | None = None) -> None:
        self.findings.append(Finding(code=code, detail=detail, bytes=count))

    def add_cut_off(self, part: str, promised: int, present: int, *, sound: bool = True) -> None:
        """Note a part that ends early; `sound` says whether the part, or what would follow it, may hold sound."""
        present = max(present, 0)
        if sound and is_impossible(promised):
            self.findings.append(describe_placeholder(f"The length of {part}, {promised} bytes, cannot be true"))
            return
        self.add(
            FindingCode.TRUNCATED if sound else FindingCode.STRUCTURE,
            f"The file is cut off: {part} should have {promised} bytes, and {present} are present."
            + ("" if sound else " That part holds no sound."),
            promised - present,
        )

    def add_gap(self, name: str, begin: int, end: int) -> None:
        self.add(
            FindingCode.GAP,
            f"{end - begin} bytes from byte {begin} on are damaged or no part of the {name} file and were not decoded.",
            end - begin,
        )


def is_impossible(count: int, seconds: float = 0.0) -> bool:
    """Return whether a length that a header states cannot be true: a tebibyte and more, or more than 31 days."""
    return count >= _IMPOSSIBLE_BYTES or seconds > _IMPOSSIBLE_SECONDS


def describe_placeholder(reason: str, seconds: float | None = None) -> Finding:
    """Return the finding for sound of unknown length; it was decoded to the end of the file, up to `seconds`."""
    return Finding(
        code=FindingCode.PLACEHOLDER_LENGTH,
        detail=f"{reason}, so the sound was read to the end of the file; "
        "whether the recording is complete cannot be known.",
        end=seconds,
    )


def describe_trailing(count: int) -> Finding:
    """Return the finding for `count` bytes behind the sound."""
    return Finding(
        code=FindingCode.TRAILING_DATA,
        detail=f"{count} bytes behind the sound are not part of it and were not decoded.",
        bytes=count,
    )


def describe_change(second: float, rate: int, channels: int) -> Finding:
    """Return the finding for a recording that has another sample rate in Hz, or other channels, from a second on."""
    return Finding(
        code=FindingCode.FORMAT_CHANGED,
        detail=f"The recording changes to {rate} Hz and {channels} channel(s) after {second:.2f} s; each part was "
        "converted by itself.",
        start=second,
    )


def find(source: Source, word: bytes, offset: int, size: int) -> int | None:
    """Return the offset of the next `word` from `offset` on; None where there is none before `size`."""
    while offset < size:
        data = read_at(source, offset, _STEP + len(word) - 1)
        if (at := data.find(word)) >= 0:
            return offset + at
        offset += _STEP
    return None
