"""Vary log-mel patches as other rooms, microphones and moments would vary them."""

import numpy as np
from numpy.typing import NDArray

from understudy.yamnet.constants import LOG_OFFSET

_BANDS = 64
_CURVE = 6
_WIDEST_BANDS, _LONGEST_FRAMES, _LARGEST_SHIFT = 9, 17, 12

_Patches = NDArray[np.float32]


def augment(patches: _Patches, rng: np.random.Generator) -> tuple[_Patches, NDArray[np.intp], NDArray[np.float64]]:
    """Return varied patches float32 [n, 96, 64], the rows int [n] they were mixed with, and their own shares [n].

    A share lies between 0.5 and 1. `patches` float32 [n, 96, 64] are not changed. The function works on mel magnitudes,
    where gain, equalization and mixing act as they do in the air: gain of -16 to +10 dB, a smooth random equalizer,
    mixup (H. Zhang et al., ICLR 2018) for half of the rows, noise, a shift in time, and masks over bands and frames
    (SpecAugment, D. Park et al., Interspeech 2019).
    """
    count = len(patches)
    mel = np.maximum(np.exp(patches) - LOG_OFFSET, 0)
    mel *= 10 ** rng.uniform(-0.8, 0.5, (count, 1, 1))
    mel *= 10 ** _draw_smooth_curves(count, rng)[:, None]
    partners = rng.permutation(count)
    drawn = rng.beta(0.4, 0.4, count)
    shares = np.where(rng.random(count) < 0.5, np.maximum(drawn, 1 - drawn), 1.0)
    mel = mel * shares[:, None, None] + mel[partners] * (1 - shares)[:, None, None]
    noisy = rng.random((count, 1, 1)) < 0.4
    mel += noisy * 10 ** rng.uniform(-4, -1.5, (count, 1, 1)) * rng.exponential(1, mel.shape)
    out = np.log(mel + LOG_OFFSET).astype(np.float32)
    for patch in out:
        _mask(patch, rng)
    return out, partners, shares


def _draw_smooth_curves(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return random curves float64 [count, 64] over the bands, in decades, linear between a few points."""
    points = rng.normal(0, 0.25, (count, _CURVE))
    position = np.linspace(0, _CURVE - 1, _BANDS)
    below = np.minimum(position.astype(int), _CURVE - 2)
    part = position - below
    curves: NDArray[np.float64] = points[:, below] * (1 - part) + points[:, below + 1] * part
    return curves


def _mask(patch: _Patches, rng: np.random.Generator) -> None:
    """Mask bands and frames of one patch in place, and shift it in time, each with a probability of one half."""
    frames, bands = patch.shape
    mean = patch.mean()
    if rng.random() < 0.5:
        width = rng.integers(1, _WIDEST_BANDS)
        start = rng.integers(0, bands - width)
        patch[:, start : start + width] = mean
    if rng.random() < 0.5:
        length = rng.integers(1, _LONGEST_FRAMES)
        start = rng.integers(0, frames - length)
        patch[start : start + length] = mean
    if rng.random() < 0.5:
        patch[:] = np.roll(patch, rng.integers(-_LARGEST_SHIFT, _LARGEST_SHIFT + 1), axis=0)
