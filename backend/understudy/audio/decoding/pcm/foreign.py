"""Tell whether the bytes behind the declared samples are samples or something else.

A header may state too short a length, as Python's `wave` does on a pipe: the bytes behind it are sound. Where the
length is right, they may be an archive, a page or a picture, which would be scored as loud noise.
"""

import math

import numpy as np

from understudy.audio.decoding.audio_limits import ABSURD_PEAK
from understudy.audio.decoding.pcm.encoding import PcmEncoding, PcmLayout, decode
from understudy.audio.decoding.source_file import Source, read_at

_LOOKED_AT = 1 << 14  # bytes on each side of the border
# Marks of four bytes and more, which samples hardly ever begin with.
_MARKS = (
    *(
        b"PK\x03\x04",
        *(b"\x1f\x8b\x08" + bytes([flags]) for flags in (0, 8)),
        b"7z\xbc\xaf",
        b"Rar!",
        b"\xfd7zXZ",
        b"\x28\xb5\x2f\xfd",
        b"BZh91AY",
        b"%PDF",
        b"SQLite format",
    ),
    *(
        b"\x89PNG",
        *(b"\xff\xd8\xff" + bytes([kind]) for kind in (0xDB, 0xE0, 0xE1, 0xE2, 0xEE, 0xFE)),
        b"GIF8",
        b"\x89HDF",
        b"\x7fELF",
        b"ID3\x02",
        b"ID3\x03",
        b"ID3\x04",
        b"APETAGEX",
        b"LYRICSBEGIN",
    ),
)
_BLANK = b"\0 \t\r\n"
_TEXT_SHARE = 0.9
_BLANKS_SHARE = 0.01
_TEXT = bytes([9, 10, 13, *range(32, 127)])
# The chi-square statistic of 256 equally frequent values is 255 on average, and above 400 once in 10^8 times.
# Compressed data is slightly uneven, which counts the more the longer it is.
_EVEN, _EVEN_EACH = 400.0, 0.02
_MOST_CORRELATED = 4.0  # times the standard deviation of the correlation of independent values


def is_foreign(source: Source, layout: PcmLayout, begin: int, border: int, end: int) -> bool:
    """Return whether the bytes from `border` to `end` are no samples, as those from `begin` to `border` are.

    They are none if one of these holds for the first 16 KiB: they begin with the mark of another kind of file; nine
    tenths of them are printable and a hundredth blanks or line ends; float samples among them are infinite, not numbers
    or absurdly large; or, as in compressed or encrypted data, all values of the samples' highest byte are equally
    frequent and each sample is independent of the one before it. The last three do not count where the bytes before the
    border are so, too.
    """
    behind = read_at(source, border, min(_LOOKED_AT, end - border))
    if behind.lstrip(_BLANK).startswith(_MARKS):
        return True
    frame = layout.frame_bytes
    length = min(_LOOKED_AT, border - begin) // frame * frame
    before = read_at(source, begin + (border - begin) // frame * frame - length, length)
    return any(
        check(behind, layout) and not check(before, layout) for check in (_is_text, _has_wrong_samples, _is_random)
    )


def _is_text(data: bytes, _layout: PcmLayout) -> bool:
    """Return whether the bytes are text: printable, and with blanks or line ends, which quiet 8-bit samples lack."""
    blanks = len(data) - len(data.translate(None, b" \t\r\n"))
    printable = len(data) - len(data.translate(None, _TEXT))
    return printable >= _TEXT_SHARE * len(data) and blanks >= _BLANKS_SHARE * len(data)


def _has_wrong_samples(data: bytes, layout: PcmLayout) -> bool:
    if layout.encoding not in (PcmEncoding.F32, PcmEncoding.F64):
        return False
    samples = decode(data[: len(data) // layout.frame_bytes * layout.frame_bytes], layout)
    return not bool(np.all(np.abs(samples) <= ABSURD_PEAK))  # NaN is not


def _is_random(data: bytes, layout: PcmLayout) -> bool:
    """Return whether the samples are as noise at full scale: their highest bytes evenly spread and independent."""
    width = layout.frame_bytes // layout.channels
    highest = np.frombuffer(data, np.uint8)[0 if layout.big_endian else width - 1 :: width]
    expected = len(highest) / 256
    counts = np.bincount(highest, minlength=256)
    if np.sum((counts - expected) ** 2) > expected * (_EVEN + _EVEN_EACH * len(highest)):
        return False
    samples = decode(data[: len(data) // layout.frame_bytes * layout.frame_bytes], layout).astype(np.float64)
    centered = samples - samples.mean(axis=0)
    power = float(np.sum(centered**2))
    product = abs(float(np.sum(centered[1:] * centered[:-1])))
    return product <= _MOST_CORRELATED * power / math.sqrt(samples.size)
