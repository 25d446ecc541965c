"""Promises that only some containers make, and sample formats that few files have."""

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any, Literal

import av
import numpy as np
import pytest
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame

from understudy.audio.decoding import codecs
from understudy.audio.decoding.containers.detect_container import ContainerFormat
from understudy.audio.decoding.ffmpeg import FfmpegReader
from understudy.audio.decoding.frame_samples import open_plane, to_float
from understudy.audio.opening import AudioLimits, open_clip
from understudy.errors import AudioUnusable
from understudy.schemas.inference.finding import Finding

Encode = Callable[..., bytes]
VALUES = np.array([[-1.0, 0.5], [0.0, 0.25], [-0.5, 0.75]])


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("u8", VALUES * 128 + 128),
        ("s16", VALUES * 2**15),
        ("s32", VALUES * 2**31),
        ("flt", VALUES),
        ("dbl", VALUES),
    ],
)
@pytest.mark.parametrize("planar", [False, True])
def test_every_sample_format_becomes_float_at_full_scale_one(name: Any, stored: Any, planar: bool) -> None:
    dtype = {"u8": "u1", "s16": "i2", "s32": "i4", "flt": "f4", "dbl": "f8"}[name]
    values = stored.astype(dtype)
    layout: Literal["stereo"] = "stereo"
    if planar:
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(values.T), format=f"{name}p", layout=layout)
    else:
        frame = AudioFrame.from_ndarray(values.reshape(1, -1), format=name, layout=layout)
    samples = to_float(frame)
    assert samples.dtype == np.float32
    np.testing.assert_array_equal(samples, VALUES.astype(np.float32))


def test_the_length_that_matroska_tags_say_counts_hours_and_minutes(tone: Any, ffmpeg: Encode) -> None:
    body = ffmpeg(tone, "webm", "libopus", 48_000)
    at = body.index(b"DURATION")
    start = body.index(b"00:00:0", at)
    end = body.index(b"\0", start) if b"\0" in body[start : start + 19] else start + 18
    longer = body[:start] + b"01:02:03.000000000"[: end - start] + body[end:]
    reader = FfmpegReader(io.BytesIO(longer), ContainerFormat.WEBM)
    assert reader.seconds is not None
    assert 3722.5 < reader.seconds < 3723.0
    reader.close()
    with (
        open_clip(io.BytesIO(longer), AudioLimits(3600.0), strict=True) as clip,
        pytest.raises(AudioUnusable, match=r"webm file promises 3723\.00 s of sound, and 1\.8\d s are present"),
    ):
        list(clip.iter_blocks(16_000))


def test_flac_of_unknown_length_is_read_to_its_end(tone: Any, sndfile: Encode, decode: Any) -> None:
    body = bytearray(sndfile(tone, "FLAC", "PCM_16"))
    body[21] &= 0xF0  # STREAMINFO's count of samples, 36 bits of which 0 means unknown
    body[22:26] = bytes(4)
    sound, facts = decode(bytes(body), rate=44_100, strict=True)
    assert facts.duration_seconds == 2.0
    assert np.abs(sound - tone).max() <= 1 / 32768


def test_damage_is_reported_with_the_name_of_the_format(tone: Any, sndfile: Encode, decode: Any) -> None:
    body = sndfile(tone, "FLAC", "PCM_16")
    with pytest.raises(AudioUnusable, match=r"^The flac file .* ends at \d\.\d\d s"):
        decode(body[: len(body) // 2], strict=True)


def test_a_shorter_promise_than_the_header_s_is_what_a_reader_offers(tone: Any, sndfile: Encode) -> None:
    reader = FfmpegReader(io.BytesIO(sndfile(tone, "MP3", "MPEG_LAYER_III")), ContainerFormat.MP3)
    assert reader.seconds is not None
    assert 1.8 < reader.seconds <= 2.0
    reader.close()


@pytest.mark.parametrize(
    ("container", "codec"),
    [("matroska", "flac"), ("mp4", "aac"), ("mpegts", "aac"), ("ogg", "libopus"), ("asf", "mp2")],
)
def test_of_several_sound_tracks_the_one_that_was_scored_is_named(
    tone: Any, ffmpeg: Encode, container: str, codec: str
) -> None:
    body = ffmpeg(tone, container, codec, 48_000, tracks=2)
    with open_clip(io.BytesIO(body), AudioLimits(60.0)) as clip:
        list(clip.iter_blocks(16_000))
        [finding] = clip.collect_findings()
    assert finding.code == "unheard_stream"
    assert finding.detail == "The file holds 2 sound tracks; track 1 was scored and the others were not."


@pytest.mark.parametrize("channels", [9, 17, 29, 64])
def test_many_channels_in_planes_of_their_own_are_read_in_order(channels: int) -> None:
    """A reader that counts the planes by an empty pointer reads other memory and ends the process."""
    values = np.random.default_rng(channels).standard_normal((channels, 50)).astype(np.float32)
    fifo = AudioFifo()
    for _ in range(20):
        frame = AudioFrame("fltp", f"{channels} channels", 50)
        for channel, row in enumerate(values):
            open_plane(frame, channel).update(row.tobytes())
        frame.sample_rate = 16_000
        fifo.write(frame)
        block = fifo.read(50)
        assert block is not None
        np.testing.assert_array_equal(to_float(block), values.T)


@pytest.mark.parametrize("container", ["matroska", "mp4", "ogg", "mpegts"])
def test_a_file_of_more_tracks_than_are_opened_is_refused_by_their_number(
    tone: Any, ffmpeg: Encode, monkeypatch: pytest.MonkeyPatch, container: str
) -> None:
    """FFmpeg drops the tracks past its own limit, and packets of the first one with them."""
    body = ffmpeg(tone[:4410], container, "flac" if container != "mpegts" else "aac", 44_100, tracks=4)
    monkeypatch.setattr("understudy.audio.decoding.ffmpeg_container.MAX_TRACKS", 3)
    monkeypatch.setitem(codecs.OPTIONS, "max_streams", "4")
    with pytest.raises(AudioUnusable, match="file holds more than 3 tracks") as caught:
        open_clip(io.BytesIO(body), AudioLimits(60.0))
    assert "-map 0:a:0" in caught.value.remedy


def test_a_damaged_header_that_promises_days_does_not_cost_the_recording(tone: Any, sndfile: Encode) -> None:
    body = bytearray(sndfile(tone, "FLAC", "PCM_16"))
    body[21] |= 0x0F  # the upper bits of STREAMINFO's count of samples
    with open_clip(io.BytesIO(bytes(body)), AudioLimits(60.0)) as clip:
        list(clip.iter_blocks(16_000))
        [finding] = clip.collect_findings()
        assert clip.collect_facts().duration_seconds == 2.0
    assert finding.code == "truncated"
    assert "2.00 s are present" in finding.detail


@pytest.mark.parametrize("between", [b"", b"TAG" + bytes(125), b"ID3\x04\0\0\0\0\x02\x00" + bytes(256)])
@pytest.mark.parametrize("xing", ["0", "1"])
def test_the_head_of_another_mp3_file_is_no_damage(tone: Any, ffmpeg: Encode, between: bytes, xing: str) -> None:
    """FFmpeg gives the tags between two files out with the next frame, which its decoder then refuses as a whole."""
    one = ffmpeg(tone, "mp3", "libmp3lame")
    other = ffmpeg(tone, "mp3", "libmp3lame", options={"write_xing": xing, "id3v2_version": "0"})
    assert other[:2] == b"\xff\xfb"
    with open_clip(io.BytesIO(one + between + other), AudioLimits(60.0)) as clip:
        list(clip.iter_blocks(16_000))
        findings = clip.collect_findings()
        assert clip.collect_facts().duration_seconds == pytest.approx(4.0, abs=0.08)
    if between or xing == "1":
        [joined] = findings
        assert joined.code == "joined"
        assert joined.start == pytest.approx(2.0, abs=0.03)
        assert (
            joined.detail == f"Another recording begins at {joined.start:.2f} s; it was scored as a part of this one."
        )
    else:  # frames alone cannot be told from those of the first file
        assert [finding.code for finding in findings] == ["length_mismatch"]


def read(body: bytes) -> tuple[float, list[Finding]]:
    """Return the seconds that are decoded, and the findings."""
    with open_clip(io.BytesIO(body), AudioLimits(60.0)) as clip:
        list(clip.iter_blocks(16_000))
        return clip.collect_facts().duration_seconds, list(clip.collect_findings())


@pytest.mark.parametrize(
    ("container", "codec", "picture"),
    [
        ("matroska", "flac", False),
        ("matroska", "aac", True),
        ("webm", "libopus", False),
        ("webm", "libopus", True),
        ("mp4", "aac", False),
        ("mp4", "aac", True),
        ("mpegts", "aac", True),
        ("ogg", "libopus", False),
        ("asf", "wmav2", False),
    ],
)
def test_sound_that_begins_late_is_whole_and_the_stretch_before_it_is_named(
    tone: Any, ffmpeg: Encode, container: str, codec: str, picture: bool
) -> None:
    rate = 48_000 if codec == "libopus" else 44_100
    seconds, [finding] = read(ffmpeg(tone, container, codec, rate, picture=picture, late=3.0))
    assert seconds == pytest.approx(len(tone) / rate, abs=0.1)
    assert (finding.code, finding.end, finding.code.damages) == ("late_start", 0.0, False)
    assert finding.start == pytest.approx(-3.0, abs=0.1)
    assert re.match(r"The sound begins (2\.9|3\.0)\d s after the start of the \w+ file, which holds no", finding.detail)
    plain = ffmpeg(tone, container, codec, rate, picture=picture)
    assert read(plain)[1] == []


def test_a_transport_stream_of_sound_alone_may_begin_at_any_time(tone: Any, ffmpeg: Encode) -> None:
    assert read(ffmpeg(tone, "mpegts", "aac", late=3.0))[1] == []


@pytest.mark.parametrize(("said", "codes"), [("05", []), ("02", []), ("09", ["truncated"])])
def test_matroska_s_length_may_count_from_the_start_of_the_file_or_of_the_sound(
    tone: Any, ffmpeg: Encode, said: str, codes: list[str]
) -> None:
    """FFmpeg writes the former and mkvmerge the latter."""
    body = ffmpeg(tone, "matroska", "flac", late=3.0)
    assert body.count(b"00:00:05.0") == 1
    _, [late, *others] = read(body.replace(b"00:00:05.0", f"00:00:{said}.0".encode()))
    assert late.code == "late_start"
    assert [finding.code for finding in others] == codes


def test_a_live_recording_that_was_joined_late_lacks_its_first_seconds_and_is_not_cut_off(
    tone: Any, ffmpeg: Encode
) -> None:
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "500000"}
    body = ffmpeg(np.tile(tone, 2), "mp4", "aac", options=options)
    parts = [found.start() - 4 for found in re.finditer(b"moof", body)]
    seconds, [finding] = read(body[: parts[0]] + body[parts[2] :])
    assert finding.code == "late_start"
    assert finding.start is not None
    assert 0.9 < -finding.start < 1.2
    assert seconds == pytest.approx(4.0 + finding.start, abs=0.1)


@pytest.mark.parametrize("counted", [True, False])
def test_flac_without_its_first_frames_has_a_gap_there(tone: Any, sndfile: Encode, counted: bool) -> None:
    """Its frames are numbered from the first on, also where the header does not say how many there are."""
    body = bytearray(sndfile(tone, "FLAC", "PCM_16"))
    if not counted:
        body[21], body[22:26] = body[21] & 0xF0, bytes(4)
    frames = [found.start() for found in re.finditer(b"\xff\xf8", body)]
    seconds, [finding] = read(bytes(body[: frames[0]] + body[frames[len(frames) // 2] :]))
    assert (finding.code, finding.start) == ("gap", 0.0)
    assert finding.end == pytest.approx(2.0 - seconds)


def test_bytes_that_were_put_into_a_wma_file_cost_only_the_packet_around_them(tone: Any, ffmpeg: Encode) -> None:
    """More of them than the file has move all later packets behind the end that the header states."""
    body = ffmpeg(tone, "asf", "wmav2")
    middle = len(body) // 2
    seconds, [finding] = read(body[:middle] + b"\xa5" * 2 * len(body) + body[middle:])
    assert finding.code == "gap"
    assert seconds > 1.0


def test_the_first_clusters_that_are_damaged_are_a_gap_and_no_late_start(tone: Any, ffmpeg: Encode) -> None:
    body = ffmpeg(np.tile(tone, 2), "matroska", "flac", options={"cluster_time_limit": "500"})
    clusters = [found.start() for found in re.finditer(b"\x1f\x43\xb6\x75", body)]
    spoilt = body[: clusters[0]] + b"\xff" * (clusters[2] - clusters[0]) + body[clusters[2] :]
    seconds, [finding] = read(spoilt)
    assert (finding.code, finding.start, finding.bytes) == ("gap", 0.0, clusters[2] - clusters[0])
    assert finding.end == pytest.approx(4.0 - seconds, abs=0.05)


# The numbers that Apple's CoreAudioBaseTypes.h gives to layouts for which FFmpeg has no name of its own.
APPLE_LAYOUTS = {7: 0x7D0007, 8: 0x800008}
READ_UNDER_A_CHECKED_HEAP = """
import io, sys
from understudy.audio.opening import AudioLimits, open_clip
for path in sys.argv[1:]:
    with open(path, "rb") as file, open_clip(file, AudioLimits(60.0)) as clip:
        samples = sum(len(block) for block in clip.iter_blocks(48_000))
        print(clip.collect_facts().channels, samples, [finding.code.value for finding in clip.collect_findings()])
"""


def test_layouts_of_channels_that_have_no_name_leave_the_memory_whole(tmp_path: Any) -> None:
    """FFmpeg keeps a list for the channels of such files, which PyAV frees once for each frame."""
    layouts = {"mono": 1, "2.1": 3, "6.1": 7, "7.1": 8, "7.1(wide)": 8, "hexadecagonal": 16}
    paths = []
    for layout, channels in layouts.items():
        for ending, codec in (("mov", "pcm_s16le"), ("mkv", "pcm_s16le"), ("mp4", "alac" if channels < 3 else "flac")):
            if codec == "flac" and channels > 8:
                continue
            path = tmp_path / f"{channels} {layout}.{ending}"
            _write_noise(path, codec, layout, channels)
            if ending == "mov" and (tag := APPLE_LAYOUTS.get(channels)) is not None:
                body = bytearray(path.read_bytes())
                at = body.index(b"chan") + 8
                body[at : at + 8] = tag.to_bytes(4) + bytes(4)
                path.write_bytes(body)
            paths.append(path)
    checked = {"LD_PRELOAD": "libc_malloc_debug.so.0", "GLIBC_TUNABLES": "glibc.malloc.check=3"}
    command = [sys.executable, "-c", READ_UNDER_A_CHECKED_HEAP, *map(str, paths)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **checked})
    assert (ended.returncode, "invalid pointer" in ended.stderr) == (0, False), ended.stderr
    assert ended.stdout.splitlines() == [f"{path.name.split()[0]} 9600 []" for path in paths]


def _write_noise(path: Any, codec: Any, layout: str, channels: int) -> None:
    """Write 0.2 s at 48 kHz in frames of 2,400 samples."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=48_000, layout=layout)
        stored: Any = stream.codec_context.format.name if codec != "pcm_s16le" else "s16"
        noise = np.random.default_rng(channels).integers(-9000, 9000, (4, 2400, channels)).astype(np.int16)
        for number, block in enumerate(noise):
            wide = block.astype("i4") << 16 if stored.startswith("s32") else block
            values = np.ascontiguousarray(wide.T) if stored.endswith("p") else wide.reshape(1, -1)
            frame = AudioFrame.from_ndarray(values, format=stored, layout=layout)
            frame.sample_rate, frame.pts = 48_000, number * 2400
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.mark.parametrize("codec", ["mp2", "ac3", "wmav2"])
def test_frames_in_a_wav_file_that_is_cut_are_named(tone: Any, ffmpeg: Encode, codec: str) -> None:
    body = ffmpeg(tone, "wav", codec, 48_000)
    cut = body[: len(body) * 6 // 10]
    with open_clip(io.BytesIO(cut), AudioLimits(60.0)) as clip:
        seconds = sum(len(block) for block in clip.iter_blocks(16_000)) / 16_000
        [finding] = clip.collect_findings()
    assert finding.code == "truncated"
    assert finding.bytes == pytest.approx(len(body) - len(cut), abs=200)
    assert finding.start == pytest.approx(seconds, abs=0.01)
