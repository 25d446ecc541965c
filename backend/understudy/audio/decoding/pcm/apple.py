"""Read the headers of aiff, aifc and caf files, whose numbers are big-endian.

Sources: Apple's Audio Interchange File Format (AIFF-C, draft 8/26/91) and Core Audio Format Specification 1.0.
"""

import math
import struct

from understudy.audio.decoding.pcm.chunks import MAX_PARTS
from understudy.audio.decoding.pcm.encoding import FLOATS, SIGNED, PcmEncoding, PcmLayout
from understudy.audio.decoding.pcm.extent import Block
from understudy.audio.decoding.source_file import Source, read_at
from understudy.errors import AudioUnusable

_HEAD = 64
_COMPRESSIONS = {
    b"raw ": PcmEncoding.U8,
    b"fl32": PcmEncoding.F32,
    b"fl64": PcmEncoding.F64,
    b"ulaw": PcmEncoding.MULAW,
    b"alaw": PcmEncoding.ALAW,
}
_LITTLE = (b"sowt", b"42n1", b"42ni", b"23ni")
_INTEGERS = (b"none", b"twos", b"in24", b"in32", *_LITTLE)
_UNKNOWN_SIZE = 0xFFFF_FFFF_FFFF_FFFF
_CAF_FLOAT, _CAF_LITTLE = 1, 2


def read_aiff(source: Source, size: int) -> tuple[PcmLayout | str, Block]:
    """Return layout and samples of an aiff or aifc file; where it is compressed, the codec's name and no layout.

    Raises AudioUnusable where one of the two is missing, or behind more than MAX_PARTS chunks.
    """
    form = read_at(source, 8, 4)
    common: bytes | None = None
    block: Block | None = None
    offset = 12
    for _ in range(MAX_PARTS):
        if offset + 8 > size or (common is not None and block is not None):
            break
        head = read_at(source, offset, _HEAD)
        name, length = head[:4], int.from_bytes(head[4:8])
        if name == b"COMM":
            common = head[8 : 8 + length]
        elif name == b"SSND":
            skipped = int.from_bytes(head[8:12])
            block = Block(offset + 16 + skipped, max(0, length - 8 - skipped))
        offset += 8 + length + length % 2
    else:
        raise AudioUnusable(f"The file has more than {MAX_PARTS} chunks before its sound.")
    if block is None:
        raise AudioUnusable("The aiff file holds no samples: its 'SSND' chunk is missing.")
    if common is None or len(common) < 18:
        raise AudioUnusable("The aiff file does not say how its samples are stored: its 'COMM' chunk is missing.")
    return _parse_common(common, compressed=form == b"AIFC"), block


def _parse_common(common: bytes, *, compressed: bool) -> PcmLayout | str:
    channels, _, bits = struct.unpack_from(">hIh", common)
    rate = _read_extended(common[8:18])
    compression = common[18:22].lower() if compressed and len(common) >= 22 else b"none"
    encoding = _COMPRESSIONS.get(compression)
    if encoding is None and compression in _INTEGERS:
        encoding = SIGNED.get(-(-bits // 8))
    if encoding is None:
        return _quote_name(common[18:22]) if compressed else f"samples of {bits} bits"
    return PcmLayout(encoding, compression not in _LITTLE, rate, channels)


def _quote_name(name: bytes) -> str:
    """Return the four letters by which Apple's formats name a codec."""
    text = name.decode("latin-1")
    return f"'{text}'" if text.isascii() and text.isprintable() else f"the codec {name.hex()}"


def _read_extended(number: bytes) -> int:
    """Return the rounded value of an 80-bit IEEE 754 number; 0 where it is not a positive one below 2^32."""
    exponent, mantissa = struct.unpack(">HQ", number)
    return round(math.ldexp(mantissa, exponent - 16383 - 63)) if exponent < 16383 + 32 else 0


def read_caf(source: Source, size: int) -> tuple[PcmLayout | str, Block]:
    """Return layout and samples of a caf file, as `read_aiff` does."""
    description: bytes | None = None
    block: Block | None = None
    offset = 8
    for _ in range(MAX_PARTS):
        if offset + 12 > size or (description is not None and block is not None):
            break
        head = read_at(source, offset, _HEAD)
        name, length = head[:4], int.from_bytes(head[4:12])
        if name == b"desc":
            description = head[12:44]
        elif name == b"data":
            block = Block(offset + 16, None if length == _UNKNOWN_SIZE else max(0, length - 4))
        offset += 12 + length
    else:
        raise AudioUnusable(f"The file has more than {MAX_PARTS} chunks before its sound.")
    if description is None or len(description) < 32:
        raise AudioUnusable("The caf file does not say how its samples are stored: its 'desc' chunk is missing.")
    if block is None:
        raise AudioUnusable("The caf file holds no samples: its 'data' chunk is missing.")
    return _parse_description(description), block


def _parse_description(description: bytes) -> PcmLayout | str:
    rate, codec, flags, frame_bytes, _, channels, _ = struct.unpack(">d4sIIIII", description)
    whole_rate = round(rate) if 0 < rate < 1 << 32 else 0
    width = frame_bytes // channels if channels else 0
    encoding = {
        b"lpcm": FLOATS.get(width) if flags & _CAF_FLOAT else SIGNED.get(width),
        b"ulaw": PcmEncoding.MULAW,
        b"alaw": PcmEncoding.ALAW,
    }.get(codec)
    return (
        _quote_name(codec) if encoding is None else PcmLayout(encoding, not flags & _CAF_LITTLE, whole_rate, channels)
    )
