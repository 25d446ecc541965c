"""Detect a file's audio container by its content; its name is never used."""

import re
from dataclasses import dataclass
from enum import StrEnum

from understudy.audio.decoding.containers.mpeg.frame_search import find_frames
from understudy.audio.decoding.containers.mpeg.frames import read_adts_length, read_mpeg_frame
from understudy.audio.decoding.containers.mpeg.tags import skip_id3
from understudy.audio.decoding.source_file import Source, measure_size, read_at
from understudy.errors import AudioUnusable, NotAudio

_HEAD = 64
# The sound is looked for behind this many bytes of tags, zeros, text or other data.
_SEARCHED = 1 << 18
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"uuid")
W64 = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
TS_PACKET = 188
"""Bytes of a packet of an MPEG transport stream (ISO/IEC 13818-1)."""
TIMED_TS_PACKET = 192
"""The same packet behind four bytes of time, as cameras and discs write it (.mts, .m2ts)."""
_CLUSTER = b"\x1f\x43\xb6\x75"
_FRAGMENTS = (b"moof", b"styp", b"sidx")
_ANYWHERE = re.compile(
    rb"RIFF....WAVE|RIFX....WAVE|RF64....WAVE|BW64....WAVE|FORM....AIF[FC]|fLaC\0\0\0\x22|OggS\0\x02|"
    rb"G.{187}G.{187}G.{187}G|....G.{191}G.{191}G.{191}G|\x1a\x45\xdf\xa3[\x80-\xff\x01\x40]|\0\0..ftyp|#!AMR|caff\0\x01|\.snd\0\0|riff\x2e\x91\xcf\x11\xa5\xd6|"
    rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9",
    re.DOTALL,
)
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
    (b"MAC ", "a Monkey's Audio file"),
    (b"wvpk", "a WavPack file"),
    (b"TTA1", "a True Audio file"),
    (b"MThd", "a MIDI file, which holds notes and no sound"),
    (b"DSD ", "a DSD file"),
    (b"FRM8", "a DSD file"),
    (b".RMF", "a RealMedia file"),
    (b"Creative Voice File", "a Creative voice file"),
    (b"FLV\x01", "a Flash video file"),
    (b"\0\0\x01\xba", "an MPEG program stream file"),
    (b"NIST_1A", "a NIST SPHERE file"),
    (b"\x64\xa3\x01\0", "an IRCAM file"),
    (b"\0\1\xa3\x64", "an IRCAM file"),
    (b"#!SILK_V3", "a SILK file"),
    (b"\x02#!SILK_V3", "a SILK file"),
    (b"#!EVS_MC1.0", "an EVS file"),
)
# Two bytes occur in other data too, so these count only where no sound is found.
_SHORT = {b"\x0b\x77": "a file of AC-3 frames without a container", b"\x56\xe0": "a file of AAC in LATM frames"}
_CONVERT = "Convert the recording: `ffmpeg -i FILE recording.flac`, and send recording.flac."


class ContainerFormat(StrEnum):
    """Containers that can be opened."""

    WAV = "wav"
    W64 = "w64"
    AIFF = "aiff"
    AU = "au"
    CAF = "caf"
    FLAC = "flac"
    OGG = "ogg"
    MP3 = "mp3"
    AAC = "aac"
    AMR = "amr"
    MP4 = "mp4"  # also QuickTime and 3gp
    WEBM = "webm"  # also every other Matroska file
    MPEGTS = "mpegts"
    ASF = "asf"


FORMATS = {
    ContainerFormat.WAV: ("wav", "rf64", "bw64"),
    ContainerFormat.W64: ("w64",),
    ContainerFormat.AIFF: ("aiff",),
    ContainerFormat.AU: ("au",),
    ContainerFormat.CAF: ("caf",),
    ContainerFormat.FLAC: ("flac",),
    ContainerFormat.OGG: ("ogg", "opus"),
    ContainerFormat.MP3: ("mp3", "mp2"),
    ContainerFormat.AAC: ("aac",),
    ContainerFormat.AMR: ("amr",),
    ContainerFormat.MP4: ("m4a", "mp4", "mov", "3gp"),
    ContainerFormat.WEBM: ("WebM", "Matroska"),
    ContainerFormat.MPEGTS: ("MPEG-TS",),
    ContainerFormat.ASF: ("wma",),
}
"""The names by which the senders of recordings know each container."""


def list_formats() -> str:
    """Return the formats that can be opened, as a part of a sentence."""
    *names, last = (name for container in ContainerFormat for name in FORMATS[container])
    return f"{', '.join(names)} or {last}"


@dataclass(frozen=True)
class Detected:
    """A container that begins at byte `start` of a file of `size` bytes; `skipped` of them before it are no tags."""

    kind: ContainerFormat
    start: int
    size: int
    skipped: int


def detect_container(source: Source, begin: int = 0) -> Detected:
    """Return the container of a seekable file, which is looked for from byte `begin` on.

    Raises AudioUnusable when the file is empty, and NotAudio with a guess at its true format when no container fits.
    """
    size = measure_size(source)
    if size == 0:
        raise AudioUnusable("The recording is empty: it has 0 bytes.", remedy="Send the bytes of the recording.")
    if (at_once := detect_at(source, begin, size)) is not None:
        return at_once
    start = skip_id3(source, begin)
    head = read_at(source, start, _HEAD)
    _refuse_later_piece(head)
    if (other := _describe(head)) is None or other == "text":
        found = _search(source, start, size)
        if found is not None:
            return found
    raise _make_not_audio(size, head, other or _SHORT.get(head[:2]))


def detect_at(source: Source, begin: int, size: int) -> Detected | None:
    """Return the container that begins at byte `begin` of a file of `size` bytes, behind tags at most."""
    start = skip_id3(source, begin)
    kind = _detect_by_magic(read_at(source, start, _HEAD)) or detect_frames_at(source, start, size)
    return None if kind is None else Detected(kind, start, size, 0)


def _make_not_audio(size: int, head: bytes, other: str | None) -> NotAudio:
    """Return the error for a file in the format `other`, None where that is not known."""
    remedy = f"Send {list_formats()}."
    if other is None:
        other = f"in an unknown format (its first bytes are {head[:4].hex(' ')})"
        remedy += f" If a player plays the file: {_CONVERT[0].lower()}{_CONVERT[1:]}"
    elif "file" in other and "MIDI" not in other:
        remedy = f"{_CONVERT} Or {remedy[0].lower()}{remedy[1:]}"
    return NotAudio(f"The file of {size} bytes is not in a supported audio format; it is {other}.", remedy=remedy)


def _detect_by_magic(head: bytes) -> ContainerFormat | None:
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return ContainerFormat.WAV
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return ContainerFormat.AIFF
    if head[4:8] in _MP4_BOXES:
        return ContainerFormat.MP4
    if head[:16] == W64:
        return ContainerFormat.W64
    if head[:16] == ASF:
        return ContainerFormat.ASF
    if head[:5] == b"#!AMR":
        return ContainerFormat.AMR
    return {
        b"fLaC": ContainerFormat.FLAC,
        b"OggS": ContainerFormat.OGG,
        b"\x1a\x45\xdf\xa3": ContainerFormat.WEBM,
        b".snd": ContainerFormat.AU,
        b"dns.": ContainerFormat.AU,
        b"caff": ContainerFormat.CAF,
    }.get(head[:4])


def detect_frames_at(source: Source, start: int, size: int) -> ContainerFormat | None:
    """Recognize what has no magic bytes: mp3 and raw AAC, and MPEG-TS by its packets.

    A frame header counts when another frame follows its frame, or when the file ends there.
    """
    data = read_at(source, start, 3 * TIMED_TS_PACKET)
    if any(data[first::size][:3] == b"GGG" for first, size in ((0, TS_PACKET), (4, TIMED_TS_PACKET))):
        return ContainerFormat.MPEGTS
    frame = read_mpeg_frame(data)
    length = frame.length if frame else read_adts_length(data)
    if length is None:
        return None
    following = read_at(source, start + length, 8)
    if start + length < size and not (read_mpeg_frame(following) if frame else read_adts_length(following)):
        return None
    return ContainerFormat.MP3 if frame else ContainerFormat.AAC


def _search(source: Source, start: int, size: int) -> Detected | None:
    """Look for the first recording behind other data."""
    data = read_at(source, start, _SEARCHED)
    magic = _ANYWHERE.search(data)
    kind = _detect_by_magic(data[magic.start() : magic.start() + _HEAD]) if magic else None
    if magic and len(magic[0]) > TS_PACKET:
        kind = ContainerFormat.MPEGTS
    border = magic.start() if magic and kind else len(data)
    if (frames := find_frames(data, border)) is not None:
        at, name = frames
        return Detected(ContainerFormat(name), start + at, size, at)
    return Detected(kind, start + border, size, border) if magic and kind else None


def _refuse_later_piece(head: bytes) -> None:
    """Raise AudioUnusable for a piece of a WebM or mp4 recording whose first piece says how to decode it."""
    if head[4:8] in _FRAGMENTS:
        kind = "mp4"
    elif head[:4] == _CLUSTER or _begins_with_block(head):
        kind = "WebM"
    else:
        return
    raise make_later_piece_error(kind)


def make_later_piece_error(kind: str) -> AudioUnusable:
    """Return the error for a piece of a recording in the container `kind` that does not begin it."""
    return AudioUnusable(
        f"The file is a later piece of a recording ({kind}), without the first piece, which says how to decode it.",
        remedy="Send the first piece and all later ones joined in one file, or use the live stream (docs/audio.md).",
    )


def _begins_with_block(head: bytes) -> bool:
    """Return whether a block of a Matroska file's first track, or its group, begins `head` (RFC 9559 section 10)."""
    if head[:1] == b"\xa0" and len(head) > 1:
        head = head[1 + 9 - head[1].bit_length() :]
        if head[:1] != b"\xa1":
            return False
    elif head[:1] != b"\xa3":
        return False
    if len(head) < 12:
        return False
    width = 9 - head[1].bit_length()
    return head[1 + width : 2 + width] == b"\x81"


def _describe(head: bytes) -> str | None:
    for magic, words in _OTHERS:
        if head.lstrip().startswith(magic):
            return words
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "an AVI file"
    if head[:4] == b"RIFF" and head[8:12].isalnum():
        return "a RIFF file other than wav"
    if all(byte >= 32 or byte in b"\t\r\n" for byte in head) and head.isascii():
        return "text"
    return None
