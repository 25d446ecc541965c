"""Cut off the quiet start and end of a clip.

Source: librosa 0.9 to 0.11, effects.trim: the RMS of centered frames, in decibels below the loudest frame.
"""

import numpy as np
from numpy.typing import NDArray

from understudy.schemas.front_end.sound import Trim

_SMALLEST_AMPLITUDE = 1e-5


def trim_quiet_ends(samples: NDArray[np.float32], trim: Trim) -> NDArray[np.float32]:
    """Return the part of `samples` float32 [n] from the first to the last frame that is not quiet.

    A silent clip stays whole, because all of its frames are as loud as the loudest.
    """
    frames = np.flatnonzero(_compute_decibels(samples, trim) > -trim.top_db)
    return samples[frames[0] * trim.hop_length : (frames[-1] + 1) * trim.hop_length]


def _compute_decibels(samples: NDArray[np.float32], trim: Trim) -> NDArray[np.float64]:
    """Return the level of each frame below the loudest, float64 [frames]."""
    half = trim.frame_length // 2
    padded = np.pad(samples, (half, half)).astype(np.float64)
    sums = np.concatenate([[0.0], np.cumsum(padded**2)])
    starts = np.arange(0, len(padded) - trim.frame_length + 1, trim.hop_length)
    if not len(starts):  # an odd frame length and fewer samples than that
        return np.zeros(1)
    power = np.maximum(sums[starts + trim.frame_length] - sums[starts], 0.0) / trim.frame_length
    decibels = 10 * np.log10(np.maximum(power, _SMALLEST_AMPLITUDE**2))
    return np.asarray(decibels - decibels.max())
