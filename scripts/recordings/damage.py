"""Make every container with every fault, and say what becomes of each."""

import struct
from collections.abc import Callable
from functools import cache

import numpy as np

from scripts.recordings.encoders import Sound, encode_with_ffmpeg, encode_with_sndfile
from scripts.recordings.reading import Decoded, read_recording
from understudy.errors import UnderstudyError

RATE = 48_000
SECONDS = 3
TOLERANCE_SECONDS, TOLERANCE_PART, TOLERANCE_DB = 0.05, 0.02, 0.5

CONTAINERS: dict[str, tuple[str, str, str]] = {
    "wav": ("sndfile", "WAV", "PCM_16"),
    "rf64": ("sndfile", "RF64", "PCM_16"),
    "w64": ("sndfile", "W64", "PCM_16"),
    "aiff": ("sndfile", "AIFF", "PCM_16"),
    "au": ("sndfile", "AU", "PCM_16"),
    "caf": ("sndfile", "CAF", "PCM_16"),
    "flac": ("sndfile", "FLAC", "PCM_16"),
    "ogg": ("sndfile", "OGG", "VORBIS"),
    "opus": ("ffmpeg", "ogg", "libopus"),
    "mp3": ("ffmpeg", "mp3", "libmp3lame"),
    "aac": ("ffmpeg", "adts", "aac"),
    "m4a": ("ffmpeg", "ipod", "aac"),
    "fragmented mp4": ("ffmpeg", "mp4", "aac"),
    "webm": ("ffmpeg", "webm", "libopus"),
    "live webm": ("ffmpeg", "webm", "libopus"),
    "mpegts": ("ffmpeg", "mpegts", "aac"),
    "wma": ("ffmpeg", "asf", "wmav2"),
    "amr": ("ffmpeg", "amr", "libopencore_amrnb"),
}
_AMR_STEP = 6  # it has 8,000 samples a second
OPTIONS = {
    "fragmented mp4": {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "500000"},
    "live webm": {"live": "1", "cluster_time_limit": "500"},
    "opus": {"page_duration": "200000"},
}


@cache
def _make_other(name: str) -> bytes:
    """Return the sound in a container that follows another recording."""
    encoder, container, codec = CONTAINERS[name]
    encode = encode_with_sndfile if encoder == "sndfile" else encode_with_ffmpeg
    return encode(make_sound(), container, codec, RATE)


_JUNK = np.random.default_rng(3).bytes(2000)
FAULTS: dict[str, Callable[[bytes], bytes]] = {
    "whole": lambda body: body,
    "cut to 70 %": lambda body: body[: len(body) * 7 // 10],
    "3 bytes short": lambda body: body[:-3],
    "2000 bytes overwritten": lambda body: body[: len(body) // 2] + _JUNK + body[len(body) // 2 + 2000 :],
    "2000 bytes missing": lambda body: body[: len(body) // 2] + body[len(body) // 2 + 2000 :],
    "zeros before": lambda body: bytes(500) + body,
    "text before": lambda body: b"HTTP/1.1 200 OK\r\n\r\n" + body,
    "ID3 before": lambda body: b"ID3\x04\0\0\0\0\x10\0" + bytes(2048) + body,
    "zeros behind": lambda body: body + bytes(1000),
    "newline behind": lambda body: body + b"\n",
    "ID3v1 behind": lambda body: body + b"TAG" + bytes(125),
    "twice": lambda body: body * 2,
    "wav behind": lambda body: body + _make_other("wav"),
    "mp3 behind": lambda body: body + _make_other("mp3"),
    "cut, wav behind": lambda body: body[: len(body) * 7 // 10] + _make_other("wav"),
}
# Recordings as long as the sound that follow it.
_DOUBLED = ("twice", "wav behind", "mp3 behind")
# The lengths that programs write where they do not know it, as parts of the true number of bytes or as they are.
LENGTHS: dict[str, Callable[[int], int]] = {
    "0": lambda _count: 0,
    "0x7FFFFF00": lambda _count: 0x7FFF_FF00,
    "0x7FFFFFFF - 36": lambda _count: 0x7FFF_FFFF - 36,
    "0x80000000": lambda _count: 0x8000_0000,
    "0xFFFFFF9B": lambda _count: 0xFFFF_FF9B,
    "0xFFFFFFFF - 36": lambda _count: 0xFFFF_FFFF - 36,
    "0xFFFFFFFF": lambda _count: 0xFFFF_FFFF,
    "1 << 62": lambda _count: 1 << 62,
    "twice too long": lambda count: 2 * count,
    "a third": lambda count: count // 3 // 8 * 8,
}
# Where each container stores the number of bytes of its samples: bytes behind a mark, format, and what it counts too.
_LENGTH_FIELDS = {
    "wav": (b"data", 4, "<I", 0),
    "rf64": (b"ds64", 16, "<Q", 0),
    "w64": (b"data\xf3\xac\xd3\x11", 16, "<Q", 24),
    "aiff": (b"SSND", 4, ">I", 8),
    "au": (b".snd", 8, ">I", 0),
    "caf": (b"data", 4, ">Q", 4),
}


def make_sound() -> Sound:
    """Return three seconds of a tone in noise."""
    time = np.arange(SECONDS * RATE) / RATE
    noise = np.random.default_rng(7).normal(0, 0.02, time.size)
    return (0.4 * np.sin(2 * np.pi * 440 * time) + noise).astype(np.float32)


def make_recordings() -> dict[str, bytes]:
    """Return the sound in each container."""
    sound = make_sound()
    made = {}
    for name, (encoder, container, codec) in CONTAINERS.items():
        if encoder == "sndfile":
            made[name] = encode_with_sndfile(sound, container, codec, RATE)
        elif name == "amr":
            made[name] = encode_with_ffmpeg(sound[::_AMR_STEP], container, codec, RATE // _AMR_STEP)
        else:
            made[name] = encode_with_ffmpeg(sound, container, codec, RATE, options=OPTIONS.get(name))
    return made


def set_length(name: str, body: bytes, length: Callable[[int], int]) -> bytes:
    """Return a recording whose header says another length than its samples have."""
    if name == "flac":  # STREAMINFO counts samples in 36 bits
        samples = length(SECONDS * RATE) & 0xF_FFFF_FFFF
        return body[:21] + ((body[21] & 0xF0) << 32 | samples).to_bytes(5) + body[26:]
    mark, behind, form, more = _LENGTH_FIELDS[name]
    at = body.index(mark) + behind
    written = bytearray(body)
    largest = (1 << 8 * struct.calcsize(form)) - 1
    struct.pack_into(form, written, at, min(largest, length(SECONDS * RATE * 2) + more))
    return bytes(written)


def describe(body: bytes, whole: Decoded, fault: str) -> str:
    """Return how much was decoded of a damaged recording, and its findings; `whole` is the undamaged one.

    Raises AssertionError where sound is lost without a finding, and where rate, channels or level are others.
    """
    decoded = read_recording(body)
    if isinstance(decoded, UnderstudyError):
        return "refused"
    if (decoded.rate, decoded.channels) != (whole.rate, whole.channels) or decoded.level is None or whole.level is None:
        raise AssertionError(f"{fault}: {decoded.rate} Hz, {decoded.channels} channels, {decoded.level} dBFS")
    expected = whole.seconds * (2 if fault in _DOUBLED else 1)
    if fault == "cut, wav behind":
        expected = whole.seconds * 0.7 + SECONDS
    complete = abs(decoded.seconds - expected) <= max(TOLERANCE_SECONDS, TOLERANCE_PART * expected)
    if not complete and not decoded.codes:
        raise AssertionError(f"{fault}: {expected - decoded.seconds:.2f} s are lost without a word")
    words = ", ".join(["all" if complete else "part", *decoded.codes])
    if abs(decoded.level - whole.level) < TOLERANCE_DB:
        return words
    if fault == "2000 bytes overwritten":  # a codec without checksums decodes other bytes as noise
        return f"{words}, noise"
    raise AssertionError(f"{fault}: {decoded.level:.2f} dBFS")


def tabulate_faults() -> str:
    """Return the table of all containers and faults."""
    rows = []
    for name, body in make_recordings().items():
        whole = _read_whole(body)
        rows.append([name, *(describe(spoil(body), whole, fault) for fault, spoil in FAULTS.items())])
    return format_table(["recording", *FAULTS], rows)


def tabulate_lengths() -> str:
    """Return the table of all containers whose header states a length, and of wrong lengths."""
    bodies = make_recordings()
    rows = []
    for name in (*_LENGTH_FIELDS, "flac"):
        body, cells = bodies[name], []
        whole = _read_whole(body)
        for words, length in LENGTHS.items():
            written = name != "flac" or not words.startswith(
                ("0x", "1 <<")
            )  # flac counts samples, and none of these numbers
            cells.append(describe(set_length(name, body, length), whole, words) if written else "")
        rows.append([name, *cells])
    return format_table(["recording", *LENGTHS], rows)


def _read_whole(body: bytes) -> Decoded:
    decoded = read_recording(body)
    if isinstance(decoded, UnderstudyError):
        raise decoded
    return decoded


def format_table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines)
