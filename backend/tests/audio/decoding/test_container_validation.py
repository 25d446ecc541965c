"""Hostile bytes: whatever is done to a file, what comes out is sound or one of our errors."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from understudy.errors import AudioUnusable, NotAudio

Encode = Callable[..., bytes]

SNDFILE = [
    ("WAV", "PCM_16"),
    ("WAV", "IMA_ADPCM"),
    ("WAV", "FLOAT"),
    ("RF64", "PCM_24"),
    ("AIFF", "PCM_16"),
    ("FLAC", "PCM_16"),
    ("OGG", "VORBIS"),
    ("MP3", "MPEG_LAYER_III"),
]
FFMPEG = [("ipod", "aac"), ("mp4", "alac"), ("adts", "aac"), ("matroska", "flac"), ("ogg", "flac")]


def spoil(whole: bytes, dice: random.Random) -> bytes:
    """Overwrite some bytes, mostly of the headers; cut, or leave out a stretch."""
    body = bytearray(whole)
    reach = len(body) if dice.random() < 0.3 else min(len(body), 600)
    for _ in range(dice.choice([1, 2, 5, 20])):
        body[dice.randrange(reach)] = dice.choice([0, 255, dice.randrange(256)])
    if dice.random() < 0.2:
        del body[dice.randrange(len(body)) :]
    if dice.random() < 0.1:
        start = dice.randrange(len(whole))
        del body[start : start + dice.randrange(500)]
    return bytes(body)


@pytest.mark.parametrize("case", [*SNDFILE, *FFMPEG], ids="-".join)
def test_spoilt_file_is_decoded_or_refused(
    tone: Any, sndfile: Encode, ffmpeg: Encode, decode: Any, case: tuple[str, str]
) -> None:
    whole = (sndfile if case in SNDFILE else ffmpeg)(tone[:22_050], *case)
    dice = random.Random("-".join(case))  # noqa: S311 (reproducible damage, not a secret)
    refused = 0
    for _ in range(120):
        try:
            _, facts = decode(spoil(whole, dice), max_seconds=1e9)
            assert facts.duration_seconds > 0
        except (AudioUnusable, NotAudio):
            refused += 1
    assert refused > 0
