"""Only listed decoders run, whatever FFmpeg is built with."""

import io
import re
from collections.abc import Iterator
from typing import Any, cast

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.codec import Codec

from understudy.audio.decoding.codecs import DECODERS, DEMUXERS, OPTIONS, choose_stream
from understudy.audio.opening import AudioLimits, open_clip
from understudy.errors import AudioUnusable

LISTED = {Codec(decoder, "r").canonical_name for decoder in DECODERS}
_STRICT = {"strict": "-2"}  # also encoders that FFmpeg calls experimental


def list_codecs(mode: Any) -> Iterator[Codec]:
    for name in sorted(av.codecs_available):
        try:
            codec = Codec(name, mode)
        except ValueError:
            continue
        if codec.type == "audio":
            yield codec


class FakeStream:
    """A stream whose decoder is `codec`; opening its context fails the test."""

    def __init__(self, codec: Codec) -> None:
        self.codec_context = type("Context", (), {"codec": codec, "open": pytest.fail})()


def test_every_decoder_of_ffmpeg_that_is_not_listed_is_refused_before_its_context_opens() -> None:
    refused = 0
    for codec in list_codecs("r"):
        stream = cast("AudioStream", FakeStream(codec))
        if codec.name in DECODERS:
            assert choose_stream([stream], "mp4") is stream
        else:
            refused += 1
            with pytest.raises(
                AudioUnusable, match=f"encoded with {re.escape(codec.long_name)}, which is not decoded"
            ) as error:
                choose_stream([stream], "mp4")
            assert "ffmpeg -i FILE" in error.value.remedy
    assert refused > 100


def test_every_listed_decoder_is_one_of_ffmpegs() -> None:
    assert {codec.name for codec in list_codecs("r")} >= DECODERS
    assert set(OPTIONS["codec_whitelist"].split(",")) == DECODERS
    assert set(OPTIONS["format_whitelist"].split(",")) == set(DEMUXERS.values())


def encode(codec: Codec, container: str) -> bytes | None:
    """Return half a second of noise, or None where the container does not take the codec."""
    out = io.BytesIO()
    rate = 8_000 if codec.audio_rates and 8_000 in codec.audio_rates else (codec.audio_rates or [48_000])[0]
    try:
        with av.open(out, "w", format=container) as file:
            stream = cast(
                "AudioStream", file.add_stream(codec.name, rate=rate, layout="mono", options={"strict": "-2"})
            )
            noise = np.random.default_rng(1).uniform(-0.5, 0.5, (1, rate // 2)).astype(np.float32)
            frame = AudioFrame.from_ndarray(noise, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = rate, 0
            for packet in (*stream.encode(frame), *stream.encode(None)):
                file.mux(packet)
    except (av.FFmpegError, ValueError):
        return None
    return out.getvalue() or None


@pytest.mark.parametrize("container", ["matroska", "mov", "ogg", "caf", "asf"])
def test_a_file_of_an_unlisted_codec_is_refused_by_name_and_a_listed_one_is_decoded(container: str) -> None:
    decoded = 0
    for codec in list_codecs("w"):
        if (body := encode(codec, container)) is not None:
            name = decode(body)
            listed = codec.canonical_name in LISTED
            assert (name is not None) == listed, f"{codec.name}: {name}"
            decoded += name is not None
    assert decoded > 0


def decode(body: bytes) -> str | None:
    """Return the codec of a file; None where it is refused because its codec is not listed."""
    try:
        with open_clip(io.BytesIO(body), AudioLimits(60.0)) as clip:
            assert sum(map(len, clip.iter_blocks(8_000))) > 0
            return clip.collect_facts().codec
    except AudioUnusable as error:
        if "not decoded here" not in error.detail:
            raise
        return None
