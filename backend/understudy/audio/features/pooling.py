"""Reduce features over time to statistics."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from understudy.schemas.front_end.pooling import Statistic


def pool(frames: NDArray[np.float32], statistics: Sequence[Statistic]) -> NDArray[np.float32]:
    """Return the statistics over time of `frames` float32 [t, f] as float32 [len(statistics) * f].

    All features' values of the first statistic come first. They are computed in double precision. Raises ValueError
    when there is no frame.
    """
    if not len(frames):
        raise ValueError("no frame to pool")
    exact = frames.astype(np.float64)
    return np.concatenate([_COMPUTE[statistic](exact) for statistic in statistics]).astype(np.float32)


_COMPUTE: dict[Statistic, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    Statistic.MEAN: lambda frames: frames.mean(axis=0),
    Statistic.STD: lambda frames: frames.std(axis=0),
    Statistic.VARIANCE: lambda frames: frames.var(axis=0),
    Statistic.MAX: lambda frames: frames.max(axis=0),
    Statistic.MIN: lambda frames: frames.min(axis=0),
    Statistic.MEDIAN: lambda frames: np.median(frames, axis=0),
}
