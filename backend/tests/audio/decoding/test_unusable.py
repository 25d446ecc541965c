"""Unusable files are refused with the error that says why."""

import io
import itertools
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from understudy.audio.decoding.containers.detect_container import ContainerFormat
from understudy.audio.decoding.ffmpeg import FfmpegReader
from understudy.audio.decoding.source_file import Stream, read_at
from understudy.audio.opening import AudioLimits, open_clip
from understudy.errors import AudioTooLong, AudioUnusable, NotAudio

Encode = Callable[..., bytes]


def test_empty_body_is_unusable(decode: Any) -> None:
    with pytest.raises(AudioUnusable, match="empty"):
        decode(b"")


@pytest.mark.parametrize(("container", "subtype"), [("WAV", "PCM_16"), ("AIFF", "PCM_16"), ("WAV", "FLOAT")])
def test_header_without_samples_is_unusable(sndfile: Encode, decode: Any, container: str, subtype: str) -> None:
    with pytest.raises(AudioUnusable, match="no samples"):
        decode(sndfile(np.zeros(0, np.float32), container, subtype))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG"),
        (b"PK\x03\x04" + bytes(100), "ZIP"),
        (b"<!doctype html><title>x</title>", "HTML"),
        (b'{"model_name": "x"}', "text"),
        (b"\xff\xfe" + b"h\0e\0l\0l\0o\0" * 50, "unknown format"),
        (b"RIFF\x10\0\0\0WEBP" + bytes(40), "RIFF"),
        (np.random.default_rng(0).bytes(5000), "unknown format"),
        (b"x", "text"),
    ],
)
def test_other_files_are_not_audio_whatever_they_are_called(decode: Any, body: bytes, words: str) -> None:
    with pytest.raises(NotAudio, match=words):
        decode(body)


@pytest.mark.parametrize("container", ["mp4", "webm"])
def test_video_without_sound_is_unusable(ffmpeg: Encode, decode: Any, container: str) -> None:
    with pytest.raises(AudioUnusable, match="video but no sound"):
        decode(ffmpeg(None, container, "", picture=True))


WHOLE = {
    "wav": ("sndfile", "WAV", "PCM_16", 44_100),
    "float wav": ("sndfile", "WAV", "FLOAT", 44_100),
    "rf64": ("sndfile", "RF64", "PCM_16", 44_100),
    "aiff": ("sndfile", "AIFF", "PCM_16", 44_100),
    "flac": ("sndfile", "FLAC", "PCM_16", 44_100),
    "vorbis": ("sndfile", "OGG", "VORBIS", 44_100),
    "opus": ("sndfile", "OGG", "OPUS", 48_000),
    "mp3": ("sndfile", "MP3", "MPEG_LAYER_III", 44_100),
    "m4a": ("ffmpeg", "ipod", "aac", 44_100),
    "aac": ("ffmpeg", "adts", "aac", 44_100),
    "webm": ("ffmpeg", "webm", "libopus", 48_000),
}


@pytest.fixture(params=WHOLE)
def whole(request: pytest.FixtureRequest, tone: Any, sndfile: Encode, ffmpeg: Encode) -> bytes:
    encoder, *arguments = WHOLE[request.param]
    return (sndfile if encoder == "sndfile" else ffmpeg)(tone, *arguments)


@pytest.mark.parametrize("kept", [0.3, 0.5, 0.97])
def test_cut_off_file_is_refused_where_strict_and_not_silently_shorter(whole: bytes, decode: Any, kept: float) -> None:
    with pytest.raises(AudioUnusable, match=r"cut off|damaged"):
        decode(whole[: int(len(whole) * kept)], strict=True)


def test_live_webm_cut_within_a_block_is_refused_where_strict(tone: Any, ffmpeg: Encode, decode: Any) -> None:
    body = ffmpeg(tone, "webm", "libopus", 48_000, options={"live": "1"})
    with pytest.raises(AudioUnusable, match="cut off"):
        decode(body[:-3], strict=True)


def test_mp3_shorter_than_its_xing_header_is_refused_where_strict(tone: Any, sndfile: Encode, decode: Any) -> None:
    body = sndfile(tone, "MP3", "MPEG_LAYER_III")
    promised = body.index(b"Xing") + 8
    frames = struct.unpack_from(">I", body, promised)[0]
    longer = body[:promised] + struct.pack(">I", frames * 2) + body[promised + 4 :]
    with pytest.raises(AudioUnusable, match="promises"):
        decode(longer, strict=True)


@pytest.mark.parametrize("case", ["vorbis", "flac", "mp3", "m4a", "aac", "webm"])
def test_damage_in_the_middle_is_refused_where_strict(
    tone: Any, sndfile: Encode, ffmpeg: Encode, decode: Any, case: str
) -> None:
    encoder, *arguments = WHOLE[case]
    body = bytearray((sndfile if encoder == "sndfile" else ffmpeg)(tone, *arguments))
    middle = len(body) // 2
    body[middle : middle + 2000] = np.random.default_rng(3).bytes(2000)
    with pytest.raises(AudioUnusable, match=r"damaged|cut off|missing"):
        decode(bytes(body), strict=True)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_numbers_are_unusable_where_strict_or_alone(
    tone: Any, sndfile: Encode, decode: Any, value: float
) -> None:
    spoiled = tone.copy()
    spoiled[50_000] = value
    for subtype in ("FLOAT", "DOUBLE"):
        with pytest.raises(AudioUnusable, match="1 sample is infinite, not a number"):
            decode(sndfile(spoiled, "WAV", subtype), strict=True)
    with pytest.raises(AudioUnusable, match="holds only samples that are infinite or not numbers"):
        decode(sndfile(np.full_like(tone, value), "WAV", "FLOAT"))


def test_integers_saved_as_floats_are_unusable_with_the_remedy(tone: Any, sndfile: Encode, decode: Any) -> None:
    with pytest.raises(AudioUnusable, match="times full scale") as caught:
        decode(sndfile(tone * np.float32(32768), "WAV", "FLOAT"))
    assert "32768" in caught.value.remedy


def test_too_long_by_its_header_is_refused_before_it_is_decoded(tone: Any, sndfile: Encode, ffmpeg: Encode) -> None:
    for body in (
        sndfile(tone, "WAV", "PCM_16"),
        sndfile(tone, "FLAC", "PCM_16"),
        sndfile(tone, "OGG", "VORBIS"),
        sndfile(tone, "MP3", "MPEG_LAYER_III"),
        ffmpeg(tone, "ipod", "aac"),
        ffmpeg(tone, "webm", "libopus", 48_000),
    ):
        with pytest.raises(AudioTooLong, match="longer than 1 s"):
            open_clip(io.BytesIO(body), AudioLimits(1.0))


def test_too_long_without_a_promise_is_refused_while_streaming(tone: Any, ffmpeg: Encode) -> None:
    body = ffmpeg(np.tile(tone, 10), "adts", "aac")
    with open_clip(io.BytesIO(body), AudioLimits(5.0)) as clip:
        blocks = clip.iter_blocks(16_000)
        assert 0 < sum(map(len, itertools.islice(blocks, 2))) <= 5 * 16_000
        with pytest.raises(AudioTooLong):
            list(blocks)


def _wav_header(channels: int, rate: int) -> bytes:
    format_chunk = struct.pack(
        "<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * channels * 2 & 0xFFFFFFFF, channels * 2 & 0xFFFF, 16
    )
    data = struct.pack("<4sI", b"data", 4000) + bytes(4000)
    return struct.pack("<4sI4s", b"RIFF", 4 + len(format_chunk) + len(data), b"WAVE") + format_chunk + data


@pytest.mark.parametrize(
    ("channels", "rate"), [(65_535, 16_000), (1_000, 16_000), (0, 16_000), (1, 0), (1, 0x7FFFFFFF), (1, 4)]
)
def test_absurd_header_is_unusable(decode: Any, channels: int, rate: int) -> None:
    with pytest.raises(AudioUnusable):
        decode(_wav_header(channels, rate))


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:2,\n{path}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{path}'\n",
        "{path}\n",
        "<MPD><BaseURL>{path}</BaseURL></MPD>",
    ],
)
def test_playlist_reaches_no_other_file(tone: Any, sndfile: Encode, decode: Any, tmp_path: Path, text: str) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(sndfile(tone, "WAV", "PCM_16"))
    body = text.format(path=secret).encode()
    with pytest.raises(NotAudio):
        decode(body)
    for kind in (
        ContainerFormat.OGG,
        ContainerFormat.MP3,
        ContainerFormat.AAC,
        ContainerFormat.MP4,
        ContainerFormat.WEBM,
    ):
        with pytest.raises(AudioUnusable):
            FfmpegReader(io.BytesIO(body), kind)


def test_mp4_that_refers_to_another_file_reaches_nothing(
    tone: Any, ffmpeg: Encode, tmp_path: Path, decode: Any
) -> None:
    outside = tmp_path / "outside.m4a"
    body = ffmpeg(tone, "ipod", "aac")
    outside.write_bytes(body)
    at = body.index(b"url \0\0\0\1") - 4
    reference = b"url \0\0\0\0" + f"file://{outside}".encode() + b"\0"
    entry = struct.pack(">I", 4 + len(reference)) + reference
    referring = bytearray(body[:at] + entry + body[at + 12 :])
    for name in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        box = referring.index(name) - 4
        struct.pack_into(">I", referring, box, struct.unpack_from(">I", referring, box)[0] + len(entry) - 12)
    media = referring.index(b"mdat") + 4
    silence = len(referring) - media - 2000
    assert silence > 0
    referring[media : body.index(b"moov") - 4] = bytes(body.index(b"moov") - 4 - media)
    with pytest.raises(AudioUnusable):
        decode(bytes(referring))


def test_decoder_may_open_nothing_but_the_upload(tone: Any, ffmpeg: Encode, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}
    genuine = av.open

    def watch(*arguments: Any, **options: Any) -> Any:
        seen.update(options, file=arguments[0])
        return genuine(*arguments, **options)

    monkeypatch.setattr(av, "open", watch)
    FfmpegReader(io.BytesIO(ffmpeg(tone, "ipod", "aac")), ContainerFormat.MP4).close()
    assert not hasattr(seen["file"], "name")
    assert seen["container_options"]["protocol_whitelist"] == "none"
    with pytest.raises(PermissionError):
        seen["io_open"]("file:///etc/passwd", 1, {})


@pytest.mark.parametrize("offset", [1 << 40, 1 << 62, (1 << 64) - 1])
def test_a_header_that_points_behind_what_files_can_hold_reads_nothing(tmp_path: Path, offset: int) -> None:
    path = tmp_path / "clip.wma"
    path.write_bytes(bytes(100))
    with path.open("rb") as file:
        assert read_at(file, offset, 10) == b""
        assert Stream(file).seek((1 << 64) - 1) == 0
