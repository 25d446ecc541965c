"""The windows that frames are multiplied with."""

import numpy as np
from numpy.typing import NDArray

from understudy.schemas.front_end.spectrum import WindowShape

_POVEY_EXPONENT = 0.85


def build_window(shape: WindowShape, length: int, *, symmetric: bool) -> NDArray[np.float64]:
    """Return the window float64 [length].

    A symmetric window ends with its first value. Any other is periodic: the value after the last would be the first.
    A window of one sample is 1.
    """
    if shape is WindowShape.RECTANGULAR or length == 1:
        return np.ones(length)
    phase = 2 * np.pi * np.arange(length) / (length - 1 if symmetric else length)
    match shape:
        case WindowShape.HANN:
            return 0.5 - 0.5 * np.cos(phase)
        case WindowShape.HAMMING:
            return 0.54 - 0.46 * np.cos(phase)
        case WindowShape.BLACKMAN:
            return 0.42 - 0.5 * np.cos(phase) + 0.08 * np.cos(2 * phase)
        case WindowShape.POVEY:
            return (0.5 - 0.5 * np.cos(phase)) ** _POVEY_EXPONENT
