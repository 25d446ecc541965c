"""A signal resampled block by block gives the samples of the whole signal."""

from math import ceil

import numpy as np
import pytest
from numpy.typing import NDArray

from understudy.audio.sound.block_resampling import BlockResampler
from understudy.audio.sound.resampling import WHOLE_SIGNAL, resample, resample_part
from understudy.schemas.front_end.sound import Resampler

PAIRS = [(44_100, 16_000), (48_000, 22_050), (16_000, 48_000), (8_000, 11_025), (44_100, 22_050), (48_000, 16_001)]
BLOCKS = (1, 4_801, 333, 12_345, 7)
# soxr has a stream of its own.
STREAMED = [resampler for resampler in Resampler if resampler not in {*WHOLE_SIGNAL, Resampler.SOXR_HQ}]


@pytest.fixture(scope="module")
def noise() -> NDArray[np.float32]:
    return np.random.default_rng(1).uniform(-0.5, 0.5, 100_003).astype(np.float32)


def resample_in_blocks(samples: NDArray[np.float32], stream: BlockResampler) -> NDArray[np.float32]:
    made, at, turn = [], 0, 0
    while at < len(samples):
        size = BLOCKS[turn % len(BLOCKS)]
        made.append(stream.resample(samples[at : at + size]))
        at, turn = at + size, turn + 1
    return np.concatenate([*made, stream.finish()])


@pytest.mark.parametrize("pair", PAIRS, ids=str)
@pytest.mark.parametrize("resampler", STREAMED)
def test_blocks_give_the_whole_signal(noise: NDArray[np.float32], resampler: Resampler, pair: tuple[int, int]) -> None:
    made = resample_in_blocks(noise, BlockResampler(*pair, resampler))
    whole = resample(noise, *pair, resampler)
    assert len(made) == len(whole)
    np.testing.assert_allclose(made, whole, rtol=0, atol=2e-6)


@pytest.mark.parametrize("size", [1, 100, 441])
@pytest.mark.parametrize("resampler", STREAMED)
def test_a_signal_shorter_than_the_filter_is_kept(noise: NDArray[np.float32], resampler: Resampler, size: int) -> None:
    made = resample_in_blocks(noise[:size], BlockResampler(44_100, 16_000, resampler))
    np.testing.assert_allclose(made, resample(noise[:size], 44_100, 16_000, resampler), rtol=0, atol=2e-6)


def test_samples_are_held_back_for_a_filter_and_a_cycle_at_most(noise: NDArray[np.float32]) -> None:
    stream = BlockResampler(44_100, 16_000, Resampler.KAISER_FAST)
    made = len(stream.resample(noise[:44_100]))
    assert 16_000 - made <= ceil(16_000 * 0.02)


@pytest.mark.parametrize("resampler", sorted(WHOLE_SIGNAL))
def test_a_resampler_of_the_whole_signal_takes_no_part(noise: NDArray[np.float32], resampler: Resampler) -> None:
    with pytest.raises(ValueError, match=resampler):
        resample_part(noise, 44_100, 16_000, resampler, 3)
