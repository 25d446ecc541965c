"""Every container with every fault: all sound that can be decoded is answered, and every loss is named.

The duration, rate, channels and level of a damaged file are compared with those of the undamaged sound. docs/audio.md
shows the outcome.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from understudy.audio.opening import AudioLimits, open_clip
from understudy.errors import AudioUnusable

DOCS = Path(__file__).resolve().parents[3] / "docs" / "audio.md"
RATE = 48_000
Sound = NDArray[np.float32]

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
}
OPTIONS = {
    "fragmented mp4": {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "500000"},
    "live webm": {"live": "1", "cluster_time_limit": "500"},
    "opus": {"page_duration": "200000"},
}
JUNK = np.random.default_rng(3).bytes(2000)
FAULTS: dict[str, Callable[[bytes], bytes]] = {
    "whole": lambda body: body,
    "cut to 70 %": lambda body: body[: len(body) * 7 // 10],
    "3 bytes short": lambda body: body[:-3],
    "2000 bytes overwritten": lambda body: body[: len(body) // 2] + JUNK + body[len(body) // 2 + 2000 :],
    "2000 bytes missing": lambda body: body[: len(body) // 2] + body[len(body) // 2 + 2000 :],
    "zeros before": lambda body: bytes(500) + body,
    "text before": lambda body: b"HTTP/1.1 200 OK\r\n\r\n" + body,
    "ID3 before": lambda body: b"ID3\x04\0\0\0\0\x10\0" + bytes(2048) + body,
    "zeros behind": lambda body: body + bytes(1000),
    "newline behind": lambda body: body + b"\n",
    "ID3v1 behind": lambda body: body + b"TAG" + bytes(125),
    "twice": lambda body: body * 2,
}


@pytest.fixture(scope="module")
def bodies(sndfile: Any, ffmpeg: Any) -> dict[str, bytes]:
    """Three seconds of a tone in noise in each container."""
    time = np.arange(3 * RATE) / RATE
    noise = np.random.default_rng(7).normal(0, 0.02, time.size)
    sound = (0.4 * np.sin(2 * np.pi * 440 * time) + noise).astype(np.float32)
    made = {}
    for name, (encoder, container, codec) in CONTAINERS.items():
        if encoder == "sndfile":
            made[name] = sndfile(sound, container, codec, RATE)
        else:
            made[name] = ffmpeg(sound, container, codec, RATE, options=OPTIONS.get(name))
    return made


def measure(body: bytes) -> tuple[float, int, int, float | None, list[str]]:
    """Return seconds, rate, channels, level in dBFS and the codes of the findings."""
    with open_clip(io.BytesIO(body), AudioLimits(60.0)) as clip:
        for _ in clip.iter_blocks(clip.rate):
            pass
        facts = clip.collect_facts()
        codes = sorted({finding.code.value for finding in clip.collect_findings()})
    return facts.duration_seconds, facts.sample_rate, facts.channels, facts.level_dbfs, codes


def describe(body: bytes, expected: tuple[float, int, int, float | None, list[str]], fault: str) -> str:
    try:
        seconds, rate, channels, level, codes = measure(body)
    except AudioUnusable:
        return "refused"
    assert (rate, channels) == expected[1:3]
    assert level is not None
    assert expected[3] is not None
    whole = expected[0] * (2 if fault == "twice" else 1)
    complete = abs(seconds - whole) <= max(0.05, 0.02 * whole)
    assert complete or codes, f"{fault}: {whole - seconds:.2f} s are lost without a word"
    words = ", ".join(["all" if complete else "part", *codes])
    if fault == "2000 bytes overwritten":  # a codec without checksums decodes other bytes as noise
        return words if abs(level - expected[3]) < 0.5 else f"{words}, noise"
    assert abs(level - expected[3]) < 0.5, f"{fault}: {level:.2f} dBFS"
    return words


def test_the_documentation_shows_what_becomes_of_every_damaged_file(bodies: dict[str, bytes]) -> None:
    undamaged = {name: measure(body) for name, body in bodies.items()}
    lines = ["| | " + " | ".join(FAULTS) + " |", "| --- " * (len(FAULTS) + 1) + "|"]
    for name, body in bodies.items():
        cells = [describe(spoil(body), undamaged[name], fault) for fault, spoil in FAULTS.items()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    table = "\n".join(lines)
    assert table in DOCS.read_text(encoding="utf-8"), f"docs/audio.md should hold this table:\n{table}"
