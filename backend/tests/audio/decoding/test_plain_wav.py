"""The plain wav reader gives the samples that libsndfile gives."""

import io
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from understudy.audio.decoding.detect_container import ContainerFormat
from understudy.audio.decoding.plain_wav import open_plain_wav
from understudy.audio.decoding.reader import Reader
from understudy.audio.decoding.sndfile import SndfileReader
from understudy.errors import AudioUnusable

Encode = Callable[..., bytes]


def samples(reader: Reader) -> NDArray[np.float32]:
    return np.concatenate(list(reader.iter_blocks()))


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def wav(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def layout(channels: int = 1, rate: int = 16_000, tag: int = 1, bits: int = 16) -> bytes:
    frame = channels * bits // 8
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits))


SOUND = struct.pack("<6h", 0, 1, -1, 32767, -32768, 300)


@pytest.mark.parametrize("container", ["WAV", "WAVEX"])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_samples_are_those_of_libsndfile(sndfile: Encode, container: str, channels: int) -> None:
    sound = np.random.default_rng(channels).uniform(-1, 1, (70_000, channels))
    body = sndfile(sound, container, "PCM_16")
    plain = open_plain_wav(io.BytesIO(body))
    assert plain is not None
    reference = SndfileReader(io.BytesIO(body), ContainerFormat.WAV)
    assert (plain.rate, plain.channels, plain.codec, plain.seconds) == (
        reference.rate,
        reference.channels,
        reference.codec,
        reference.seconds,
    )
    np.testing.assert_array_equal(samples(plain), samples(reference))


def test_chunks_of_odd_length_and_of_other_things_are_skipped() -> None:
    body = wav(
        chunk(b"LIST", b"INFOx"), layout(), chunk(b"fact", b"\x06\0\0\0"), chunk(b"data", SOUND), chunk(b"id3 ", b"x")
    )
    plain = open_plain_wav(io.BytesIO(body))
    assert plain is not None
    np.testing.assert_array_equal(samples(plain)[:, 0] * 32768, [0, 1, -1, 32767, -32768, 300])


@pytest.mark.parametrize(
    "body",
    [
        wav(layout(bits=24), chunk(b"data", SOUND)),
        wav(layout(tag=3, bits=32), chunk(b"data", SOUND)),
        wav(layout(tag=0xFFFE), chunk(b"data", SOUND)),
        wav(layout(channels=0), chunk(b"data", SOUND)),
        wav(chunk(b"data", SOUND), layout()),
        wav(layout()[:12], chunk(b"data", SOUND)),
        wav(layout(), chunk(b"data", b"")),
        wav(layout(), chunk(b"data", SOUND))[:-4],
        wav(chunk(b"JUNK", bytes(5000)), layout(), chunk(b"data", SOUND)),
        b"RIFX" + wav(layout(), chunk(b"data", SOUND))[4:],
        b"RIFF",
    ],
)
def test_other_files_are_left_to_libsndfile(body: bytes) -> None:
    assert open_plain_wav(io.BytesIO(body)) is None


def test_absurd_layout_is_refused() -> None:
    with pytest.raises(AudioUnusable, match="samples a second"):
        open_plain_wav(io.BytesIO(wav(layout(rate=3), chunk(b"data", SOUND))))


def test_file_that_shrinks_while_it_is_read_is_refused() -> None:
    file = io.BytesIO(wav(layout(), chunk(b"data", SOUND)))
    plain = open_plain_wav(file)
    assert plain is not None
    file.truncate(50)
    with pytest.raises(AudioUnusable, match="before its samples"):
        samples(plain)


@settings(max_examples=300)
@given(edits=st.lists(st.tuples(st.integers(0, 80), st.integers(0, 255)), max_size=4), cut=st.integers(0, 90))
def test_damaged_header_never_gives_other_samples(edits: list[tuple[int, int]], cut: int) -> None:
    body = bytearray(wav(layout(channels=2), chunk(b"fact", b"\x06\0\0\0"), chunk(b"data", SOUND * 3)))
    for place, value in edits:
        body[min(place, len(body) - 1)] = value
    body = body[: len(body) - cut] if cut < 40 else body

    def read(make: Callable[[Any], Reader | None]) -> Any:
        try:
            reader = make(io.BytesIO(bytes(body)))
            return None if reader is None else (reader.rate, reader.channels, samples(reader).tobytes())
        except AudioUnusable:
            return "refused"

    plain = read(open_plain_wav)
    if plain not in (None, "refused"):
        assert read(lambda file: SndfileReader(file, ContainerFormat.WAV)) in (plain, "refused")
