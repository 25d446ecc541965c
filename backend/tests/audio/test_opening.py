"""Each supported format is read, and its samples come out."""

import io
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

from understudy.audio.opening import AudioLimits, open_clip

Encode = Callable[..., bytes]

# Container, subtype, codec in the facts, largest sample error.
PCM = [
    ("WAV", "PCM_U8", "pcm_u8", 1 / 128),
    ("WAV", "PCM_16", "pcm_s16", 1 / 32768),
    ("WAV", "PCM_24", "pcm_s24", 1e-6),
    ("WAV", "PCM_32", "pcm_s32", 1e-6),
    ("WAV", "FLOAT", "pcm_f32", 0),
    ("WAV", "DOUBLE", "pcm_f64", 0),
    ("WAV", "ULAW", "pcm_mulaw", 0.02),
    ("WAV", "ALAW", "pcm_alaw", 0.02),
    ("WAVEX", "PCM_16", "pcm_s16", 1 / 32768),
    ("RF64", "PCM_16", "pcm_s16", 1 / 32768),
    ("AIFF", "PCM_16", "pcm_s16", 1 / 32768),
    ("AIFF", "FLOAT", "pcm_f32", 0),
    ("FLAC", "PCM_16", "flac", 1 / 32768),
    ("FLAC", "PCM_24", "flac", 1e-6),
]


@pytest.mark.parametrize(("container", "subtype", "codec", "error"), PCM)
def test_lossless_formats_give_back_their_samples(
    tone: Any, sndfile: Encode, decode: Any, container: str, subtype: str, codec: str, error: float
) -> None:
    sound, facts = decode(sndfile(tone, container, subtype), rate=44_100)
    assert sound.dtype == np.float32
    assert np.abs(sound - tone).max() <= error
    assert (facts.codec, facts.sample_rate, facts.channels, facts.duration_seconds) == (codec, 44_100, 1, 2.0)


def level(sound: Any) -> float:
    return float(np.sqrt(np.mean(np.square(sound[4000:-4000]))))


@pytest.mark.parametrize(
    ("container", "codec", "rate", "named"),
    [
        ("ipod", "aac", 44_100, "aac"),
        ("ipod", "alac", 44_100, "alac"),
        ("mp4", "aac", 44_100, "aac"),
        ("adts", "aac", 44_100, "aac"),
        ("webm", "libopus", 48_000, "opus"),
        ("matroska", "flac", 44_100, "flac"),
        ("ogg", "libopus", 48_000, "opus"),
        ("ogg", "flac", 44_100, "flac"),
        ("mp3", "libmp3lame", 44_100, "mp3"),
    ],
)
def test_ffmpeg_formats_keep_their_level(
    tone: Any, ffmpeg: Encode, decode: Any, container: str, codec: str, rate: int, named: str
) -> None:
    sound, facts = decode(ffmpeg(tone, container, codec, rate))
    assert (facts.codec, facts.sample_rate, facts.channels) == (named, rate, 1)
    assert facts.duration_seconds == pytest.approx(len(tone) / rate, abs=0.06)
    assert len(sound) == pytest.approx(facts.duration_seconds * 16_000, abs=1)
    assert level(sound) == pytest.approx(level(tone), rel=0.06)


@pytest.mark.parametrize(("container", "subtype"), [("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III")])
def test_lossy_formats_of_libsndfile_line_up_with_the_original(
    tone: Any, sndfile: Encode, decode: Any, container: str, subtype: str
) -> None:
    sound, facts = decode(sndfile(tone, container, subtype), rate=44_100)
    assert facts.duration_seconds == 2.0
    assert np.corrcoef(sound, tone)[0, 1] > 0.99


def test_video_with_sound_gives_its_sound(tone: Any, ffmpeg: Encode, decode: Any) -> None:
    for container, codec, rate in (("mp4", "aac", 44_100), ("webm", "libopus", 48_000)):
        sound, facts = decode(ffmpeg(tone, container, codec, rate, picture=True))
        assert facts.channels == 1
        assert level(sound) == pytest.approx(level(tone), rel=0.06)


def test_fragmented_mp4_and_live_webm_are_read(tone: Any, ffmpeg: Encode, decode: Any) -> None:
    fragmented = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "500000"}
    for body in (
        ffmpeg(tone, "mp4", "aac", options=fragmented),
        ffmpeg(tone, "webm", "libopus", 48_000, options={"live": "1"}),
    ):
        sound, _ = decode(body)
        assert level(sound) == pytest.approx(level(tone), rel=0.06)


@pytest.mark.parametrize("channels", [2, 6, 8, 32])
def test_channels_are_averaged(tone: Any, sndfile: Encode, decode: Any, channels: int) -> None:
    many = np.stack([tone * (index + 1) / channels for index in range(channels)], axis=1)
    sound, facts = decode(sndfile(many, "WAV", "FLOAT"), rate=44_100)
    assert facts.channels == channels
    np.testing.assert_allclose(sound, many.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("rate", [1_000, 8_000, 11_025, 22_050, 44_101, 96_000, 384_000])
def test_any_rate_is_resampled_in_pieces_as_in_one(tone: Any, sndfile: Encode, decode: Any, rate: int) -> None:
    sound, facts = decode(sndfile(tone, "WAV", "FLOAT", rate))
    assert facts.sample_rate == rate
    np.testing.assert_array_equal(sound, soxr.resample(tone, rate, 16_000, quality="HQ"))


def test_no_gain_is_applied(tone: Any, sndfile: Encode, decode: Any) -> None:
    quiet, _ = decode(sndfile(tone * np.float32(1e-3), "WAV", "FLOAT"), rate=44_100)
    np.testing.assert_array_equal(quiet, tone * np.float32(1e-3))


def test_streaming_wav_of_unknown_length_is_read_to_its_end(tone: Any, sndfile: Encode, decode: Any) -> None:
    body = bytearray(sndfile(tone, "WAV", "PCM_16"))
    body[4:8] = body[40:44] = b"\xff\xff\xff\xff"
    assert decode(bytes(body))[1].duration_seconds == 2.0


def test_leading_id3_tag_is_skipped(tone: Any, ffmpeg: Encode, decode: Any) -> None:
    tag = b"ID3\x04\0\0\0\0\x10\0" + bytes(2048)
    for container, codec in (("mp3", "libmp3lame"), ("adts", "aac")):
        body = ffmpeg(tone, container, codec)
        assert decode(tag + body)[1].codec == decode(body)[1].codec


def test_spooled_upload_is_read_before_and_after_it_rolled_over_to_disk(tone: Any, sndfile: Encode) -> None:
    for container, subtype in (("WAV", "PCM_16"), ("OGG", "VORBIS")):
        body = sndfile(tone, container, subtype)
        for largest in (1 << 20, 1000):
            with tempfile.SpooledTemporaryFile(max_size=largest) as upload:
                upload.write(body)
                with open_clip(upload, AudioLimits(60)) as clip:
                    assert sum(map(len, clip.iter_blocks(16_000))) == 32_000


def test_recordings_of_esc10_equal_libsndfiles_decoding(data_dir: Any, decode: Any) -> None:
    for path in sorted((data_dir / "esc10").glob("*/1-*.ogg"))[::12]:
        reference, rate = soundfile.read(io.BytesIO(path.read_bytes()), dtype="float32")
        sound, facts = decode(path.read_bytes(), rate=rate)
        np.testing.assert_allclose(sound, reference, atol=1e-4)
        assert (facts.codec, facts.duration_seconds) == ("vorbis", len(reference) / rate)
