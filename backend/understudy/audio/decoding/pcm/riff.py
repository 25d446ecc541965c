"""Read the headers of wav files.

RIFF and RIFX: Microsoft and IBM, Multimedia Programming Interface and Data Specifications 1.0, and Microsoft's
WAVEFORMATEXTENSIBLE. RF64: EBU Tech 3306. BW64: ITU-R BS.2088. w64: Sony's Wave64.
"""

import struct
from dataclasses import dataclass
from typing import Literal

from understudy.audio.decoding.pcm.chunks import MAX_PARTS
from understudy.audio.decoding.pcm.encoding import FLOATS, SIGNED, PcmEncoding, PcmLayout
from understudy.audio.decoding.pcm.extent import Block
from understudy.audio.decoding.source_file import Source, read_at
from understudy.errors import AudioUnusable

_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
# The rest of a sub-format of WAVE_FORMAT_EXTENSIBLE behind its two-byte tag.
_SUBFORMAT = bytes.fromhex("00000000 1000 8000 00aa00389b71")
_FORMAT_BYTES = 64
_NEEDED = (b"fmt ", b"data")
# The rest of Wave64's identifiers behind the four letters of RIFF's.
_W64_FORMAT_OR_DATA = bytes.fromhex("f3acd3118cd100c04f8edb8a")

Order = Literal["little", "big"]


@dataclass(frozen=True)
class WavHeader:
    """The format chunk of a wav file and its block of samples."""

    order: Order
    format: bytes
    block: Block

    @property
    def tag(self) -> int:
        """The codec's number in Microsoft's registry."""
        tag = int.from_bytes(self.format[:2], self.order)
        if tag == _EXTENSIBLE and self.format[26:40] == _SUBFORMAT:
            return int.from_bytes(self.format[24:26], self.order)
        return tag

    @property
    def block_bytes(self) -> int:
        """Bytes of one block of compressed samples, at least 1."""
        return max(1, int.from_bytes(self.format[12:14], self.order))

    def find_layout(self) -> PcmLayout | None:
        """Return the layout of the samples; None where they are compressed."""
        channels, rate, second_bytes, frame_bytes, bits = struct.unpack_from(
            ("<" if self.order == "little" else ">") + "HIIHH", self.format, 2
        )
        width = -(-bits // 8)
        sure = bits % 8 == 0 and second_bytes == rate * channels * width  # two fields against that of the frame
        if channels and frame_bytes % channels == 0 and frame_bytes // channels in SIGNED and frame_bytes and not sure:
            width = max(width, frame_bytes // channels)
        encoding = {
            _PCM: PcmEncoding.U8 if width == 1 else SIGNED.get(width),
            _FLOAT: FLOATS.get(width),
            _ALAW: PcmEncoding.ALAW,
            _MULAW: PcmEncoding.MULAW,
        }.get(self.tag)
        return None if encoding is None else PcmLayout(encoding, self.order == "big", rate, channels)


def read_riff(source: Source, size: int) -> WavHeader:
    """Return format and samples of a RIFF, RIFX, RF64 or BW64 file, whose chunks may come in any order.

    Raises AudioUnusable where one of the two is missing, or behind more than MAX_PARTS chunks.
    """
    order: Order = "big" if read_at(source, 0, 4) == b"RIFX" else "little"
    found: bytes | None = None
    block: Block | None = None
    long_size, offset = 0, 12
    for _ in range(MAX_PARTS):
        if offset + 8 > size or (found is not None and block is not None):
            break
        head = read_at(source, offset, 8 + _FORMAT_BYTES)
        name, length, begin = head[:4], int.from_bytes(head[4:8], order), offset + 8
        if name == b"ds64":
            long_size = int.from_bytes(head[16:24], "little")
        elif name == b"fmt ":
            found = head[8 : 8 + length]
        elif name == b"data":
            length = long_size if length == 0xFFFF_FFFF and long_size else length
            block = Block(begin, length)
        offset = begin + length + length % 2
        if length % 2 and read_at(source, begin + length, 4) in _NEEDED:
            offset = begin + length  # some programs leave out the byte that pads a chunk
    else:
        raise _make_too_many()
    return _build_header("wav", order, found, block)


def read_w64(source: Source, size: int) -> WavHeader:
    """Return format and samples of a w64 file. Raises AudioUnusable as `read_riff` does."""
    found: bytes | None = None
    block: Block | None = None
    offset = 40
    for _ in range(MAX_PARTS):
        if offset + 24 > size or (found is not None and block is not None):
            break
        head = read_at(source, offset, 24 + _FORMAT_BYTES)
        length = int.from_bytes(head[16:24], "little")  # the chunk's head included
        name = head[:4] if head[4:16] == _W64_FORMAT_OR_DATA else b""
        if name == b"fmt ":
            found = head[24:length]
        elif name == b"data":
            block = Block(offset + 24, max(0, length - 24))
        offset += max(24, length + -length % 8)
    else:
        raise _make_too_many()
    return _build_header("w64", "little", found, block)


def _build_header(kind: str, order: Order, found: bytes | None, block: Block | None) -> WavHeader:
    if block is None:
        raise AudioUnusable(f"The {kind} file holds no samples: its 'data' chunk is missing.")
    if found is None or len(found) < 16:
        raise AudioUnusable(
            f"The {kind} file does not say how its samples are stored: its 'fmt ' chunk is missing or cut off.",
            remedy="If you know the rate and the format of the samples, send them without the header, with "
            "`Content-Type: audio/x-raw; format=s16le; rate=16000; channels=1`. Otherwise record the clip again.",
        )
    return WavHeader(order, found, block)


def _make_too_many() -> AudioUnusable:
    return AudioUnusable(f"The file has more than {MAX_PARTS} chunks before its sound.")
