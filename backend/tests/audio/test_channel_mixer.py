"""The mix of channels, and the channel that takes its place where they cancel each other."""

import numpy as np
import pytest
from numpy.typing import NDArray

from understudy.audio.channel_mixer import FADE_SECONDS, ChannelMixer
from understudy.audio.mono import MonoStream
from understudy.schemas.front_end.sound import Channels, Sound

RATE = 16_000
Array = NDArray[np.float32]


def noise(seconds: float, seed: int = 0, level: float = 0.1) -> Array:
    samples = np.random.default_rng(seed).standard_normal(int(seconds * RATE)) * level
    return np.asarray(samples, np.float32)


def join(*channels: Array) -> Array:
    return np.stack(channels, axis=1)


def mix(sound: Array, block: int = 4_096, handling: Channels = Channels.AUTO) -> tuple[Array, ChannelMixer]:
    mixer = ChannelMixer(sound.shape[1], RATE, handling)
    blocks = [mixer.mix(sound[start : start + block]) for start in range(0, len(sound), block)]
    return np.concatenate([*blocks, mixer.finish()]), mixer


@pytest.mark.parametrize("factor", [-1.0, -0.9, -0.75])
@pytest.mark.parametrize("seconds", [0.01, 0.3, 3.03])
def test_channels_that_cancel_give_the_louder_one_from_start_to_end(factor: float, seconds: float) -> None:
    sound = join(factor * noise(seconds), noise(seconds))
    got, mixer = mix(sound)
    np.testing.assert_array_equal(got, sound[:, 1 if factor > -1 else 0])
    [stretch] = mixer.louder
    assert stretch.start == 0
    assert stretch.end == pytest.approx(seconds)


def test_a_silent_front_does_not_hide_a_rear_that_cancels() -> None:
    silent, rear = np.zeros(RATE, np.float32), noise(1)
    got, mixer = mix(join(silent, silent, silent, silent, 0.9 * rear, -rear))
    np.testing.assert_array_equal(got, -rear)
    assert [each.channel for each in mixer.louder] == [5]


def rumble(seed: int) -> Array:
    """Return 10 s of noise below about 20 Hz, as wind makes it."""
    return np.asarray(np.convolve(noise(10.2, seed), np.hanning(3_200), mode="valid")[: 10 * RATE] / 40, np.float32)


@pytest.mark.parametrize(
    "sound",
    [
        join(noise(10), noise(10)),
        join(noise(10), noise(10, seed=1)),
        join(noise(10), np.zeros(10 * RATE, np.float32)),
        join(noise(10), -0.5 * noise(10)),
        join(rumble(1), rumble(2)),
        join(noise(10, level=0.01) + 0.1, noise(10, level=0.01) - 0.1),
        join(noise(10, level=1e-5), -noise(10, level=1e-5)),
        np.zeros((RATE, 2), np.float32),
    ],
    ids=["alike", "unrelated", "one_sided", "half_cancelled", "wind", "offsets", "inaudible", "silence"],
)
@pytest.mark.parametrize("block", [777, 1 << 16])
def test_ordinary_stereo_is_the_mean_bit_by_bit(sound: Array, block: int) -> None:
    got, mixer = mix(sound, block)
    np.testing.assert_array_equal(got, sound @ np.full(2, 0.5, np.float32))
    assert mixer.louder == []


@pytest.mark.parametrize("block", [1, 160, 1_000, 48_000])
def test_the_cut_into_blocks_changes_nothing(block: int) -> None:
    left = noise(3)
    right = np.where(np.arange(len(left)) // RATE == 1, -left, noise(3, seed=1)).astype(np.float32)
    expected, whole = mix(join(left, right), 1 << 20)
    got, mixer = mix(join(left, right)[: 2 * RATE] if block == 1 else join(left, right), block)
    np.testing.assert_array_equal(got, expected[: len(got)])
    assert mixer.louder[0].start == whole.louder[0].start


def test_a_scream_that_cancels_is_found_in_its_first_frame_and_fades_in() -> None:
    time = np.arange(4 * RATE) / RATE
    hum = np.asarray(0.001 * np.sin(2 * np.pi * 100 * time), np.float32)
    scream = np.asarray(0.3 * np.sin(2 * np.pi * 700 * time) * ((time >= 2) & (time < 2.5)), np.float32)
    got, mixer = mix(join(hum + scream, hum - scream))
    [stretch] = mixer.louder
    assert stretch.start == 2.0
    assert 2.5 <= stretch.end <= 3.05  # until the scream has left the half second that a decision looks at
    fade = int(FADE_SECONDS * RATE)
    from_fade, to_end = 2 * RATE + fade, int(2.5 * RATE)
    np.testing.assert_array_equal(got[from_fade:to_end], (hum + scream)[from_fade:to_end])
    np.testing.assert_array_equal(got[: 2 * RATE], hum[: 2 * RATE])
    assert np.abs(np.diff(got)).max() <= np.abs(np.diff(hum + scream)).max() + 0.3 / fade  # no click


def test_another_channel_takes_over_when_the_chosen_one_falls_silent() -> None:
    first, second = noise(2), noise(2, seed=1)
    half = np.arange(len(first)) < RATE
    sound = join(
        *(np.where(half, each, 0).astype(np.float32) for each in (first, -first)),
        *(np.where(half, 0, each).astype(np.float32) for each in (second, -second)),
    )
    got, mixer = mix(sound)
    assert [each.channel for each in mixer.louder] == [0, 2]
    np.testing.assert_array_equal(got[-RATE // 4 :], second[-RATE // 4 :])


@pytest.mark.parametrize(("handling", "expected"), [(Channels.MEAN, 0.0), (Channels.FIRST, 1.0)])
def test_the_channel_handling_that_a_spec_names_wins(handling: Channels, expected: float) -> None:
    sound = join(noise(1), -noise(1))
    mono = MonoStream(2, RATE, RATE, Sound(channels=handling))
    np.testing.assert_array_equal(mono.mix(sound), expected * noise(1))
    assert len(mono.finish()) == 0
    assert mono.find_louder(0, 1) == []


def test_the_list_of_stretches_is_bounded() -> None:
    left = noise(60)
    flips = np.arange(len(left)) // RATE % 2 == 0
    _, mixer = mix(join(left, np.where(flips, left, -left).astype(np.float32)))
    assert len(mixer.louder) == 20
    assert mixer.louder[-1].end == pytest.approx(60, abs=1)


def test_rounding_to_16_bits_comes_after_the_choice() -> None:
    sound = join(noise(1), -noise(1))
    mono = MonoStream(2, RATE, RATE, Sound(round_to_16_bit=True))
    got = np.concatenate([mono.mix(sound), mono.finish()])
    np.testing.assert_array_equal(got * 32_768, np.rint(noise(1) * 32_768))
