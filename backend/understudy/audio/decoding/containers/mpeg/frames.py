"""Read MPEG audio and ADTS frame headers.

Sources: ISO/IEC 11172-3 2.4.1.3 and 13818-3 (mp1 to mp3), ISO/IEC 14496-3 1.A.2 (ADTS); the Xing header
is a convention of the LAME encoder.
"""

from dataclasses import dataclass

_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_KBPS_V1 = {
    3: (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    1: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
_KBPS_V2 = {
    3: (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    1: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_VERSION_1, _LAYER_I, _LAYER_III = 3, 3, 1
_MONO = 3
LEAST_ADTS_BYTES = 11
"""Bytes of the shortest ADTS frame with sound: a header of 7, and a silent channel of 4 (ISO/IEC 14496-3 4.4.2)."""
XING = (b"Xing", b"Info")
"""The marks of a frame that holds no sound but what an mp3 file promises."""


@dataclass(frozen=True)
class MpegFrame:
    """One frame of mp1, mp2 or mp3.

    `length` counts bytes, header included; `samples` counts samples in each channel; `rate` is in Hz; `xing_offset` is
    the byte at which a Xing header would begin.
    """

    length: int
    samples: int
    rate: int
    xing_offset: int


def read_mpeg_frame(head: bytes) -> MpegFrame | None:
    """Return the frame that begins `head` (4 bytes or more); None when `head` does not begin with a frame header."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate, rate_index, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer == 0 or bitrate in (0, 15) or rate_index == 3:
        return None
    first = version == _VERSION_1
    rate = _RATES[version][rate_index]
    bits = 1000 * (_KBPS_V1 if first else _KBPS_V2)[layer][bitrate - 1]
    if layer == _LAYER_I:
        return MpegFrame(length=(12 * bits // rate + padding) * 4, samples=384, rate=rate, xing_offset=0)
    samples = 576 if layer == _LAYER_III and not first else 1152
    mono = head[3] >> 6 == _MONO
    side = (17 if mono else 32) if first else (9 if mono else 17)
    return MpegFrame(samples // 8 * bits // rate + padding, samples, rate, xing_offset=4 + side)


def read_xing_seconds(head: bytes) -> float | None:
    """Return the length in seconds that a Xing or Info header in the first frame promises; None without one."""
    frame = read_mpeg_frame(head)
    if frame is None:
        return None
    tag = head[frame.xing_offset : frame.xing_offset + 12]
    if tag[:4] not in XING or len(tag) < 12 or not tag[7] & 1:
        return None
    return int.from_bytes(tag[8:12]) * frame.samples / frame.rate


def read_adts_length(head: bytes) -> int | None:
    """Return the length in bytes of the ADTS frame that begins `head` (7 bytes or more).

    None without one, and for a frame that is too short for sound.
    """
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 > 12:
        return None
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length if length >= LEAST_ADTS_BYTES else None
