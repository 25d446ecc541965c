"""Check FLAC frames (RFC 9639), whose length is not stored, where FFmpeg's guess of it goes wrong.

FFmpeg takes all bytes behind the last frame of a file for a part of it, and decodes it without a word about them.
"""

from av import FFmpegError
from av.audio.codeccontext import AudioCodecContext
from av.packet import Packet

from understudy.audio.decoding.containers.beginnings import Beginnings
from understudy.audio.decoding.containers.structure import Structure
from understudy.audio.decoding.source_file import Source, read_at

_POLYNOMIAL = 0x8005
# A longer frame is not measured: the largest frames that encoders write have some ten thousand bytes.
_MOST_BYTES = 1 << 19
_SHORTEST = 10
_LAST_BLOCK, _MOST_BLOCKS = 128, 256


def _make_table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte << 8
        for _ in range(8):
            value = (value << 1 ^ _POLYNOMIAL if value & 0x8000 else value << 1) & 0xFFFF
        table.append(value)
    return table


_TABLE = _make_table()


def walk_flac(source: Source, size: int, beginnings: Beginnings) -> Structure:
    """Return where another recording begins behind the metadata (RFC 9639 section 8), which may hold pictures."""
    structure = Structure(size)
    offset, last = 4, False
    for _ in range(_MOST_BLOCKS):
        head = read_at(source, offset, 4)
        if len(head) < 4 or last:
            break
        last = head[0] >= _LAST_BLOCK
        offset += 4 + int.from_bytes(head[1:])
    structure.end = beginnings.find_behind(offset) or size
    return structure


def is_repeated(data: bytes, before: bytes, end: int, source: Source) -> bool:
    """Return whether a packet's `data` lies within the packet before it, whose bytes end at `end` in the file.

    FFmpeg does that where the sample rate changes: it gives the frames around the change twice.
    """
    if len(data) > len(before) or data not in before:
        return False
    place = source.tell()
    following = read_at(source, end, len(data))
    source.seek(place)
    return following != data


def measure_frame(data: bytes, description: bytes | None) -> int | None:
    """Return the bytes of the frame that begins `data`; `description` is the stream's STREAMINFO.

    None where no frame ends within `data`. The CRC-16 over a whole frame is zero, which also happens within one by
    chance and behind one where zeros follow, so the shortest such beginning that can be decoded is taken.
    """
    value = 0
    for position, byte in enumerate(data[:_MOST_BYTES], 1):
        value = (value << 8 & 0xFFFF) ^ _TABLE[value >> 8 ^ byte]
        if value == 0 and position >= _SHORTEST and _decodes(data[:position], description):
            return position
    return None


def _decodes(data: bytes, description: bytes | None) -> bool:
    decoder = AudioCodecContext.create("flac", "r")
    decoder.extradata = description
    decoder.options = {"err_detect": "crccheck+explode"}
    try:
        return bool(decoder.decode(Packet(data)))
    except FFmpegError:
        return False
