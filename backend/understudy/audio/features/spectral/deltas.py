"""Differences of features over time, as librosa.feature.delta computes them."""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from understudy.errors import AudioUnusable
from understudy.schemas.front_end.parts import Deltas


def append_deltas(features: NDArray[np.float32], deltas: Deltas) -> NDArray[np.float32]:
    """Return `features` float32 [frames, n] followed by their deltas, float32 [frames, (1 + orders) * n].

    Raises AudioUnusable when the clip has fewer frames than the window of the deltas, unless `mode` is `nearest`.
    """
    if deltas.mode == "interp" and len(features) < deltas.width:
        raise AudioUnusable(
            f"The clip has {len(features)} frames; the deltas of the model's front end need {deltas.width}.",
            remedy="Send a longer recording.",
        )
    return np.concatenate([features, *(_differentiate(features, deltas, order) for order in deltas.orders)], axis=1)


def _differentiate(features: NDArray[np.float32], deltas: Deltas, order: int) -> NDArray[np.float32]:
    """Return the `order`th derivative of the polynomial of that order through each window (Savitzky and Golay).

    That derivative is one number for the whole window, so that `interp`, which evaluates the first and the last full
    windows at the clip's ends, repeats their numbers.
    """
    half = deltas.width // 2
    places = np.arange(-half, half + 1, dtype=np.float64)
    weights = np.linalg.pinv(np.vander(places, order + 1, increasing=True))[order] * math.factorial(order)
    ends = ((half, half), (0, 0))
    if deltas.mode == "nearest":
        features = np.pad(features, ends, mode="edge")
    inner = sliding_window_view(features, deltas.width, axis=0) @ weights
    if deltas.mode == "interp":
        inner = np.pad(inner, ends, mode="edge")
    return np.asarray(inner, np.float32)
