"""FLAC of every width, with changing formats and with other bytes behind it, written here frame by frame (RFC 9639)."""

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from understudy.audio.decoding.containers.flac_frames import measure_frame
from understudy.audio.opening import AudioLimits, open_clip
from understudy.schemas.inference.finding import Finding

RATE = 16_000
SIZES = {8: 1, 12: 2, 16: 4, 20: 5, 24: 6, 32: 7}
Values = NDArray[np.int64]


def compute_crc(data: bytes, polynomial: int, width: int) -> int:
    value = 0
    for byte in data:
        value ^= byte << width - 8
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value >> width - 1 else 0)) & (1 << width) - 1
    return value


def make_frame(number: int, values: Values, rate: int, bits: int) -> bytes:
    """Return the values [n, channels] as a frame of samples without compression."""
    count, channels = values.shape
    head = bytes([0xFF, 0xF8, 0x7D, channels - 1 << 4 | SIZES.get(bits, 0) << 1, number])
    head += (count - 1).to_bytes(2) + rate.to_bytes(2)
    head += bytes([compute_crc(head, 0x07, 8)])
    stored: int = 0
    length: int = 0
    channel: list[int]
    for channel in values.T.tolist():
        stored, length = stored << 8 | 0b10, length + 8
        for value in channel:
            stored, length = stored << bits | value & (1 << bits) - 1, length + bits
    frame: bytes = head + (stored << -length % 8).to_bytes(-(-length // 8))
    return frame + compute_crc(frame, 0x8005, 16).to_bytes(2)


def make_description(rate: int, channels: int, bits: int, total: int = 0) -> bytes:
    numbers = rate << 44 | channels - 1 << 41 | bits - 1 << 36 | total
    return (256).to_bytes(2) * 2 + bytes(6) + numbers.to_bytes(8) + bytes(16)


def make_flac(*frames: bytes, rate: int = RATE, channels: int = 1, bits: int = 16, total: int = 0) -> bytes:
    return b"fLaC" + bytes([0x80, 0, 0, 34]) + make_description(rate, channels, bits, total) + b"".join(frames)


def make_values(bits: int, channels: int = 1, frames: int = 4) -> Values:
    full = 1 << bits - 1
    values = np.random.default_rng(bits).integers(-full, full, (frames * 256, channels))
    values[:2] = [[-full], [full - 1]]
    return values


def split(values: Values, rate: int, bits: int) -> list[bytes]:
    return [make_frame(at // 256, values[at : at + 256], rate, bits) for at in range(0, len(values), 256)]


def read(body: bytes) -> tuple[NDArray[np.float32], int, tuple[Finding, ...]]:
    with open_clip(io.BytesIO(body), AudioLimits(60.0)) as clip:
        samples = np.concatenate(list(clip.iter_blocks(clip.rate)))
        return samples, clip.rate, clip.collect_findings()


@pytest.mark.parametrize("bits", [4, 8, 12, 15, 16, 20, 24, 32])
def test_every_width_is_decoded_at_its_own_full_scale(bits: int) -> None:
    values = make_values(bits)
    samples, rate, findings = read(make_flac(*split(values, RATE, bits), bits=bits, total=len(values)))
    assert (rate, findings) == (RATE, ())
    np.testing.assert_array_equal(samples, (values[:, 0] / (1 << bits - 1)).astype(np.float32))


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (RATE, 2), (48_000, 2)])
def test_a_changing_rate_or_channel_count_is_converted_and_named(rate: int, channels: int) -> None:
    first = split(make_values(16, frames=20), RATE, 16)
    later = [
        make_frame(20 + index, part, rate, 16)
        for index, part in enumerate(np.split(make_values(16, channels, frames=20), 20))
    ]
    samples, kept, findings = read(make_flac(*first, *later))
    assert (kept, [finding.code for finding in findings]) == (RATE, ["format_changed"])
    assert f"{rate} Hz and {channels} channel(s) after 0.32 s" in findings[0].detail
    assert len(samples) == pytest.approx(20 * 256 * (1 + RATE / rate), abs=64)


@pytest.mark.parametrize(
    ("behind", "count"),
    [
        (b"\n", 1),
        (bytes(1000), 1000),
        (bytes(20_000), 20_000),
        (b"\xff" * 700, 700),
        (b"HTTP/1.1 200 OK", 15),
        (b"TAG" + bytes(125), None),
        (b"", None),
    ],
)
def test_bytes_behind_the_last_frame_are_named_and_tags_are_not(behind: bytes, count: int | None) -> None:
    values = make_values(16)
    samples, _, findings = read(make_flac(*split(values, RATE, 16), total=len(values)) + behind)
    assert len(samples) == len(values)
    assert [(finding.code, finding.bytes) for finding in findings] == ([("trailing_data", count)] if count else [])


def test_the_length_of_a_frame_is_found_by_its_checksum_and_by_decoding_it() -> None:
    description = make_description(RATE, 1, 16)
    frame = make_frame(0, make_values(16, frames=1), RATE, 16)
    assert measure_frame(frame + bytes(50), description) == len(frame)
    assert measure_frame(frame[:-1], description) is None
    damaged: Any = bytearray(frame)
    damaged[100] ^= 1
    assert measure_frame(bytes(damaged), description) is None
