"""Read the header of au files (Sun and NeXT; Oracle's audio.h describes it)."""

import struct

from understudy.audio.decoding.pcm.encoding import PcmEncoding, PcmLayout
from understudy.audio.decoding.pcm.extent import Block
from understudy.audio.decoding.source_file import Source, read_at
from understudy.errors import AudioUnusable

_ENCODINGS = {
    1: PcmEncoding.MULAW,
    2: PcmEncoding.S8,
    3: PcmEncoding.S16,
    4: PcmEncoding.S24,
    5: PcmEncoding.S32,
    6: PcmEncoding.F32,
    7: PcmEncoding.F64,
    27: PcmEncoding.ALAW,
}
_UNKNOWN_SIZE = 0xFFFF_FFFF


_COMPRESSED = {23: "G.721", 24: "G.722", 25: "G.723 at 24 kbit/s", 26: "G.723 at 40 kbit/s"}


def read_au(source: Source) -> tuple[PcmLayout | str, Block]:
    """Return layout and samples of an au file; the codec's name in place of the layout where they are compressed.

    Raises AudioUnusable for a header that is cut off.
    """
    head = read_at(source, 0, 24)
    if len(head) < 24:
        raise AudioUnusable("The au file is cut off within its header.")
    big = head[:4] == b".snd"
    begin, length, encoding, rate, channels = struct.unpack(">5I" if big else "<5I", head[4:])
    known = _ENCODINGS.get(encoding)
    block = Block(max(24, begin), None if length == _UNKNOWN_SIZE else length)
    if known is None:
        return _COMPRESSED.get(encoding, f"the encoding number {encoding}"), block
    return PcmLayout(known, big, rate, channels), block
