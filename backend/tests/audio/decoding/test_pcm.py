"""Uncompressed samples of every width, and headers whose lengths cannot be true."""

import io
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.audio.decoding.pcm import chunks, riff
from understudy.audio.decoding.pcm.encoding import PcmEncoding, PcmLayout, decode
from understudy.audio.opening import AudioLimits, open_clip
from understudy.errors import AudioUnusable, NotAudio
from understudy.schemas.inference.finding import Finding

Encode = Callable[..., bytes]
SOUND = struct.pack("<6h", 0, 1, -1, 32767, -32768, 300)
VALUES = [0, 1, -1, 32767, -32768, 300]


def read(body: bytes) -> tuple[Any, list[Finding]]:
    """Return the samples float32 [n] of a file at its own rate, and the findings."""
    with open_clip(io.BytesIO(body), AudioLimits(3600)) as clip:
        sound = np.concatenate(list(clip.iter_blocks(clip.rate)))
        return sound, list(clip.collect_findings())


def chunk(name: bytes, body: bytes, *, length: int | None = None, order: str = "<") -> bytes:
    return name + struct.pack(f"{order}I", len(body) if length is None else length) + body + b"\0" * (len(body) % 2)


def wav(*parts: bytes, form: bytes = b"RIFF") -> bytes:
    body = b"WAVE" + b"".join(parts)
    return form + struct.pack("<I", len(body)) + body


def layout(channels: int = 1, rate: int = 16_000, tag: int = 1, bits: int = 16) -> bytes:
    frame = channels * -(-bits // 8)
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits))


WIDTHS = ("PCM_U8", "PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")
STORED = [
    (container, subtype, endian)
    for container in ("WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF")
    for subtype in WIDTHS
    for endian in ("LITTLE", "BIG")
    if soundfile.check_format(container, subtype, endian)
]


@pytest.mark.parametrize(("container", "subtype", "endian"), STORED)
def test_samples_are_those_of_libsndfile(container: str, subtype: str, endian: str) -> None:
    sound = np.random.default_rng(1).uniform(-1, 1, 70_000)
    out = io.BytesIO()
    soundfile.write(out, sound, 44_100, format=container, subtype=subtype, endian=endian)
    expected, _ = soundfile.read(io.BytesIO(out.getvalue()), dtype="float32")
    samples, findings = read(out.getvalue())
    np.testing.assert_array_equal(samples, expected)
    assert findings == []


@pytest.mark.parametrize("channels", [2, 6])
def test_channels_are_those_of_libsndfile(sndfile: Encode, channels: int) -> None:
    sound = np.random.default_rng(channels).uniform(-1, 1, (70_000, channels))
    body = sndfile(sound, "WAVEX", "PCM_16")
    expected, _ = soundfile.read(io.BytesIO(body), dtype="float32")
    np.testing.assert_allclose(read(body)[0], expected.mean(axis=1), atol=1e-6)


def test_a_double_that_is_too_large_is_infinite_without_a_warning() -> None:
    data = np.array([1e300, np.nan, 0.5], "<f8").tobytes()
    values = decode(data, PcmLayout(PcmEncoding.F64, False, 8000, 1))[:, 0]
    np.testing.assert_array_equal(values, [np.inf, np.nan, 0.5])


def test_64_bit_samples_are_divided_by_their_full_scale() -> None:
    data = np.array([-(2**63), 2**62, 0], ">i8").tobytes()
    np.testing.assert_array_equal(decode(data, PcmLayout(PcmEncoding.S64, True, 8000, 1))[:, 0], [-1.0, 0.5, 0.0])


@pytest.mark.parametrize(
    "body",
    [
        wav(
            chunk(b"LIST", b"INFOx"), layout(), chunk(b"fact", b"\6\0\0\0"), chunk(b"data", SOUND), chunk(b"id3 ", b"x")
        ),
        wav(chunk(b"data", SOUND), layout()),
        wav(chunk(b"JUNK", bytes(5000)), layout(), chunk(b"data", SOUND)),
        wav(layout(), chunk(b"data", SOUND), chunk(b"LIST", b"odd")[:-1]),
        wav(layout(), chunk(b"data", SOUND), form=b"BW64"),
        wav(
            chunk(b"ds64", struct.pack("<QQQI", 0, 12, 6, 0)),
            layout(),
            chunk(b"data", SOUND, length=0xFFFFFFFF),
            form=b"RF64",
        ),
    ],
    ids=["other chunks", "data before fmt", "far away", "no padding at the end", "bw64", "rf64"],
)
def test_chunks_may_come_in_any_order(body: bytes) -> None:
    samples, findings = read(body)
    np.testing.assert_array_equal(samples * 32768, VALUES)
    assert findings == []


@pytest.fixture(scope="module")
def gsm() -> bytes:
    """A wav file of GSM with 63 blocks, an odd number of bytes, and the byte that pads them."""
    sound = 0.5 * np.sin(np.arange(63 * 320) * 0.2)
    out = io.BytesIO()
    soundfile.write(out, sound, 8000, format="WAV", subtype="GSM610")
    body = out.getvalue()
    at = body.index(b"data") + 8
    return body[: at - 4] + struct.pack("<I", 63 * 65) + body[at : at + 63 * 65] + b"\0"


def test_the_byte_that_pads_gsm_is_not_decoded(gsm: bytes) -> None:
    at = gsm.index(b"data") + 4
    for length in (63 * 65, 63 * 65 + 1):  # ffmpeg counts the byte, sox does not
        samples, findings = read(gsm[:at] + struct.pack("<I", length) + gsm[at + 4 :])
        assert (len(samples), findings) == (63 * 320, [])
        assert np.abs(samples).max() < 0.6


@pytest.mark.parametrize("container", ["WAV", "W64"])
@pytest.mark.parametrize("codec", ["MS_ADPCM", "IMA_ADPCM", "GSM610"])
def test_compressed_sound_that_is_cut_or_has_a_hole_is_named(container: str, codec: str) -> None:
    out = io.BytesIO()
    sound = 0.5 * np.sin(np.arange(24_000) * 0.2)
    soundfile.write(out, sound, 8000, format=container, subtype=codec)
    body = out.getvalue()
    whole, findings = read(body)
    assert findings == []
    middle = len(body) * 6 // 10
    cut, hole = body[:middle], body[: middle - 500] + body[middle:]
    assert np.abs(read(cut)[0]).max() < 0.7  # a part of a block would be noise
    for damaged, missing in ((cut, len(body) - middle), (hole, 500)):
        samples, [finding] = read(damaged)
        assert finding.code == "truncated"
        assert finding.bytes is not None
        assert abs(finding.bytes - missing) <= 8  # the padding of the chunk
        assert finding.start == pytest.approx(len(samples) / 8000)
        assert 0.3 * len(whole) < len(samples) < len(whole)


@pytest.mark.parametrize(("second_bytes", "expected"), [(32_000, 6), (64_000, 3)])
def test_a_wrong_size_of_the_frame_is_seen_by_the_other_fields(second_bytes: int, expected: int) -> None:
    form = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 16_000, second_bytes, 4, 16))
    samples, findings = read(wav(form, chunk(b"data", SOUND)))
    assert (len(samples), findings) == (expected, [])


def test_an_odd_chunk_before_the_samples_may_lack_its_padding() -> None:
    samples, findings = read(wav(layout(), chunk(b"note", b"abc")[:-1], chunk(b"data", SOUND)))
    np.testing.assert_array_equal(samples * 32768, VALUES)
    assert findings == []


def test_zeros_that_fill_up_a_w64_chunk_are_not_named(sndfile: Encode) -> None:
    body = sndfile(np.zeros(5), "W64", "PCM_24", 8000)
    at = body.index(b"data\xf3\xac\xd3\x11") + 16
    padded = body[:at] + struct.pack("<Q", 24 + 16) + body[at + 8 : at + 8 + 15] + b"\0"
    samples, findings = read(padded)
    assert (len(samples), findings) == (5, [])


PLACEHOLDERS = [0, 0x80000000, 0x7FFFFF00, 0x7FFFFFFF - 0x24, 0x7FFFFFFF, 0x7FFFF000]
PLACEHOLDERS += [0xFFFFFFFF - 36, 0xFFFFFF9B, 0xFFFFFFFF]


@pytest.mark.parametrize("length", PLACEHOLDERS)
@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_a_placeholder_means_to_the_end(sndfile: Encode, length: int, subtype: str) -> None:
    sound = np.random.default_rng(1).uniform(-1, 1, 8000)
    for container, order in (("WAV", "<"), ("RF64", "<"), ("AIFF", ">"), ("AU", ">")):
        if not soundfile.check_format(container, subtype):
            continue
        body = sndfile(sound, container, subtype, 8000)
        if container == "AU":
            spoilt = body[:8] + struct.pack(">I", length) + body[12:]
        else:
            at = body.index(b"SSND" if container == "AIFF" else b"data") + 4
            spoilt = body[:at] + struct.pack(f"{order}I", length) + body[at + 4 :]
            if container == "RF64":
                spoilt = spoilt[: body.index(b"ds64") + 16] + bytes(8) + spoilt[body.index(b"ds64") + 24 :]
        expected, _ = soundfile.read(io.BytesIO(body), dtype="float32")
        samples, [finding] = read(spoilt)
        np.testing.assert_array_equal(samples[: len(expected)], expected)
        assert len(samples) - len(expected) <= 16  # chunks behind the samples cannot be told from them
        assert finding.code == "placeholder_length", container


@pytest.mark.parametrize("length", [0, 24, 1 << 41, 1 << 62, 1 << 63, (1 << 64) - 1])
def test_a_placeholder_of_w64_and_caf_means_to_the_end(sndfile: Encode, length: int) -> None:
    sound = np.random.default_rng(1).uniform(-1, 1, 8000)
    w64, caf = (sndfile(sound, container, "PCM_16", 8000) for container in ("W64", "CAF"))
    expected, _ = soundfile.read(io.BytesIO(w64), dtype="float32")
    at = w64.index(b"data\xf3\xac") + 16
    samples, [finding] = read(w64[:at] + struct.pack("<Q", length) + w64[at + 8 :])
    np.testing.assert_array_equal(samples, expected)
    assert finding.code == "placeholder_length"
    at = caf.index(b"data") + 4
    samples, [finding] = read(caf[:at] + struct.pack(">Q", length if length != 24 else 4) + caf[at + 8 :])
    np.testing.assert_array_equal(samples, expected)
    assert finding.code == "placeholder_length"


@pytest.mark.parametrize("length", [1 << 41, 1 << 62, (1 << 62) + 1])
@pytest.mark.parametrize("form", [b"RF64", b"BW64"])
def test_a_size_that_cannot_be_true_means_to_the_end(length: int, form: bytes) -> None:
    sizes = chunk(b"ds64", struct.pack("<QQQI", 0, length, 6, 0))
    samples, [finding] = read(wav(sizes, layout(), chunk(b"data", SOUND, length=0xFFFFFFFF), form=form))
    np.testing.assert_array_equal(samples * 32768, VALUES)
    assert (finding.code, finding.end) == ("placeholder_length", 6 / 16_000)
    assert finding.detail.startswith(f"The length of the sound in the header, {length} bytes, cannot be true")


@pytest.mark.parametrize(("channels", "bits", "rest"), [(1, 16, 1), (1, 24, 2), (2, 16, 3), (1, 32, 1), (3, 8, 1)])
@pytest.mark.parametrize("length", [None, 0xFFFFFFFF])
def test_a_frame_that_is_cut_off_is_named_and_the_frames_before_it_are_decoded(
    channels: int, bits: int, rest: int, length: int | None
) -> None:
    frame = channels * bits // 8
    body = wav(
        layout(channels, bits=bits), chunk(b"data", b"\1" * (5 * frame + rest), length=length)[: 8 + 5 * frame + rest]
    )
    samples, findings = read(body)
    assert len(samples) == 5
    assert [finding.code for finding in findings] == ["placeholder_length"] * (length is not None) + ["trailing_data"]
    assert findings[-1].bytes == rest
    assert f"less than one frame of {frame} bytes ({channels} channel(s))" in findings[-1].detail


def test_a_byte_that_pads_samples_of_unknown_length_is_no_part_of_a_frame() -> None:
    body = wav(layout(bits=24), chunk(b"data", b"\1\2\3\0", length=0xFFFFFFFF))
    samples, [finding] = read(body)
    assert len(samples) == 1
    assert finding.code == "placeholder_length"


def test_a_length_past_the_end_is_a_file_that_was_cut_off() -> None:
    samples, [finding] = read(wav(layout(), chunk(b"data", SOUND, length=32_012)))
    np.testing.assert_array_equal(samples * 32768, VALUES)
    assert (finding.code, finding.start, finding.end, finding.bytes) == ("truncated", 6 / 16_000, 1.000375, 32_000)


def test_sound_behind_the_declared_end_is_scored() -> None:
    sound = np.random.default_rng(2).integers(-3000, 3000, 160_000).astype("<i2").tobytes()
    samples, [finding] = read(wav(layout(), chunk(b"data", sound, length=32_000)))
    assert len(samples) == 160_000
    assert (finding.code, finding.start, finding.end, finding.bytes) == ("length_mismatch", 1.0, 10.0, 288_000)


@pytest.mark.parametrize("behind", [b"\n", bytes(5000), b"TAG" + bytes(125), b"\r\n" * 9])
def test_what_is_no_sound_behind_the_samples_is_named(behind: bytes) -> None:
    samples, [finding] = read(wav(layout(), chunk(b"data", SOUND)) + behind)
    assert len(samples) == 6
    assert (finding.code, finding.bytes) == ("trailing_data", len(behind))


def html() -> bytes:
    return b"\n<!DOCTYPE html><html><body>" + "Wie schön, hello there! ".encode() * 400


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("a.bin", np.random.default_rng(1).bytes(20_000))
    return out.getvalue()


FOREIGN = {"html": html(), "zip": archive(), "random": np.random.default_rng(2).bytes(30_000)}
FOREIGN |= {"few": np.random.default_rng(3).bytes(700), "tag": b"ID3\x04" + bytes(5) + b"\1" + b"APIC" * 700}
KINDS = [("WAV", subtype) for subtype in ("PCM_U8", "PCM_16", "PCM_24", "FLOAT", "ULAW")]
KINDS += [("RF64", "PCM_16"), ("W64", "PCM_16"), ("AIFF", "PCM_S8"), ("AU", "PCM_24"), ("AIFF", "FLOAT")]


@pytest.mark.parametrize(("container", "subtype"), KINDS)
@pytest.mark.parametrize("behind", FOREIGN.values(), ids=FOREIGN.keys())
def test_other_data_behind_samples_whose_length_is_right_is_not_scored(
    sndfile: Encode, container: str, subtype: str, behind: bytes
) -> None:
    sound = np.random.default_rng(4).normal(0, 0.1, (8000, 2))
    body = sndfile(sound, container, subtype, 8000)
    samples, found = read(body + behind)
    assert len(samples) == 8000
    [finding] = found
    assert finding.code == "trailing_data"
    assert finding.bytes == pytest.approx(len(behind), abs=200)  # the chunks behind the samples


LEVELS = {"quiet": (0.001, 0.001), "louder": (0.0003, 0.3), "loud": (0.3, 0.3), "quieter": (0.3, 0.001)}
LEVELS |= {"silence before": (0.0, 0.2), "full scale": (1.0, 1.0)}


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "ULAW"])
@pytest.mark.parametrize(("first", "second"), LEVELS.values(), ids=LEVELS.keys())
def test_sound_behind_a_length_that_is_too_short_is_scored(
    sndfile: Encode, subtype: str, first: float, second: float
) -> None:
    """Music has no even spread of values; a recording of noise at full scale has one before the border, too."""
    noise = np.random.default_rng(5).uniform(-1, 1, 24_000)
    tones = np.sin(np.arange(24_000) * 0.3) * np.sin(np.arange(24_000) * 0.0007)
    for kind in (noise, 0.7 * tones + 0.3 * noise):
        if kind is noise and second == 0.3 and first != 0.3:
            continue
        sound = kind * np.where(np.arange(24_000) < 8000, first, second)
        body = sndfile(sound, "WAV", subtype, 8000)
        at = body.index(b"data") + 4
        length = int.from_bytes(body[at : at + 4], "little") // 3
        whole = body[: at + 4 + 3 * length]
        samples, [finding] = read(whole[:at] + struct.pack("<I", length) + whole[at + 4 :])
        assert (len(samples), finding.code) == (24_000, "length_mismatch")


def test_a_second_block_of_samples_is_named() -> None:
    samples, [finding] = read(wav(layout(), chunk(b"data", SOUND), chunk(b"data", SOUND)))
    assert len(samples) == 6
    assert (finding.code, finding.bytes) == ("unheard_stream", 12)


def test_recordings_in_a_row_are_scored_as_one() -> None:
    one, other = (wav(layout(rate=rate), chunk(b"data", SOUND)) for rate in (16_000, 8_000))
    samples, found = read(one + one + other)
    np.testing.assert_array_equal(samples[:12] * 32768, VALUES * 2)
    assert len(samples) == 12 + 2 * 6
    joined = [("joined", 6 / 16_000), ("joined", 12 / 16_000)]
    assert [(finding.code, finding.start) for finding in found] == [*joined, ("format_changed", 12 / 16_000)]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (wav(chunk(b"data", SOUND)), "does not say how its samples are stored"),
        (wav(layout()[:12], chunk(b"data", SOUND)), "no samples: its 'data' chunk is missing"),
        (wav(layout()), "its 'data' chunk is missing"),
        (wav(layout(), chunk(b"data", b"")), "no samples"),
        (wav(layout(rate=3), chunk(b"data", SOUND)), "samples a second"),
        (wav(layout(channels=0), chunk(b"data", SOUND)), "0 channels"),
        (wav(layout(tag=0x65), chunk(b"data", SOUND)), "encoded with G.722, which is not decoded here"),
        (wav(layout(tag=0x9999), chunk(b"data", SOUND)), "the codec number 0x9999"),
        (b"FORM\0\0\0\0AIFF" + chunk(b"COMM", bytes(18), order=">"), "its 'SSND' chunk is missing"),
        (b"FORM\0\0\0\0AIFF" + chunk(b"SSND", bytes(18), order=">"), "its 'COMM' chunk is missing"),
        (b"caff\0\1\0\0" + bytes(60), "its 'desc' chunk is missing"),
        (b".snd" + bytes(9), "cut off within its header"),
    ],
)
def test_what_holds_no_samples_is_unusable_and_says_why(body: bytes, words: str) -> None:
    with pytest.raises(AudioUnusable, match=words):
        read(body)


def test_file_that_shrinks_while_it_is_read_is_refused() -> None:
    file = io.BytesIO(wav(layout(), chunk(b"data", SOUND)))
    with open_clip(file, AudioLimits(1.0)) as clip:
        file.truncate(50)
        with pytest.raises(AudioUnusable, match="shorter while it was read"):
            list(clip.iter_blocks(16_000))


class CountedFile(io.BytesIO):
    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        return super().read(size)


def test_chunks_before_and_behind_the_samples_are_looked_at_up_to_a_bound() -> None:
    empty = chunk(b"JUNK", b"")
    file = CountedFile(wav(empty * 200_000, layout(), chunk(b"data", SOUND)))
    with pytest.raises(AudioUnusable, match="more than 4096 chunks"):
        open_clip(file, AudioLimits(1.0))
    assert file.reads <= chunks.MAX_PARTS + 8
    file = CountedFile(wav(layout(), chunk(b"data", SOUND), empty * 200_000))
    with open_clip(file, AudioLimits(1.0)) as clip:
        list(clip.iter_blocks(16_000))
        assert [finding.code for finding in clip.collect_findings()] == ["trailing_data"]
    assert file.reads <= chunks.MAX_PARTS + 100


@settings(max_examples=300, deadline=None)
@given(edits=st.lists(st.tuples(st.integers(0, 80), st.integers(0, 255)), max_size=4), cut=st.integers(0, 90))
def test_damaged_header_gives_samples_or_one_of_our_errors(edits: list[tuple[int, int]], cut: int) -> None:
    body = bytearray(wav(layout(channels=2), chunk(b"fact", b"\6\0\0\0"), chunk(b"data", SOUND * 3)))
    for place, value in edits:
        body[min(place, len(body) - 1)] = value
    body = body[: len(body) - cut] if cut < 40 else body
    try:
        header = riff.read_riff(io.BytesIO(bytes(body)), len(body))
        samples, findings = read(bytes(body))
    except (AudioUnusable, NotAudio):
        return
    assert len(samples)
    if not findings and (stored := header.find_layout()) is not None and header.block.declared is not None:
        assert len(samples) == header.block.declared // stored.frame_bytes
