"""Pad or cut samples to a fixed length."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from understudy.schemas.front_end.sound import Filling, Length, Side

_PAD_MODES: dict[Filling, Literal["constant", "wrap", "reflect", "edge"]] = {
    Filling.ZEROS: "constant",
    Filling.REPEAT: "wrap",
    Filling.REFLECT: "reflect",
    Filling.EDGE: "edge",
}


def count_samples(length: Length, rate: int) -> int:
    """Return the length in samples at `rate` Hz; seconds are cut to a whole sample, as int(rate * seconds) does."""
    return length.samples if length.samples is not None else int(rate * (length.seconds or 0.0))


def fit_length(samples: NDArray[np.float32], size: int, length: Length) -> NDArray[np.float32]:
    """Return `samples` float32 [n] as float32 [size], or unchanged where `length` neither pads nor cuts them."""
    missing = size - len(samples)
    if missing > 0 and length.pad is not None:
        return np.pad(samples, split(missing, length.pad), mode=_PAD_MODES[length.fill])
    if missing < 0 and length.cut is not None:
        start, _ = split(-missing, length.cut)
        return samples[start : start + size]
    return samples


def split(amount: int, side: Side) -> tuple[int, int]:
    """Return how many of `amount` values belong to the start and how many to the end; the end gets an odd one."""
    start = {Side.START: amount, Side.END: 0, Side.CENTER: amount // 2}[side]
    return start, amount - start
