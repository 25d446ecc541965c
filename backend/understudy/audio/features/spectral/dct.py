"""The discrete cosine transform of type 2 as a matrix."""

import numpy as np
from numpy.typing import NDArray

from understudy.schemas.front_end.spectrum import DctNorm


def build_dct(length: int, count: int, norm: DctNorm) -> NDArray[np.float64]:
    """Return the matrix float64 [length, count] that gives the first `count` coefficients of `length` values.

    Sources: scipy.fft.dct (`ortho`, `none`), tf.signal.mfccs_from_log_mel_spectrograms (`htk`).
    """
    places = np.arange(length)[:, None] + 0.5
    matrix = np.cos(np.pi / length * places * np.arange(count))
    match norm:
        case DctNorm.NONE:
            matrix *= 2.0
        case DctNorm.HTK:
            matrix *= np.sqrt(2.0 / length)
        case DctNorm.ORTHO:
            matrix *= np.sqrt(2.0 / length)
            matrix[:, 0] *= np.sqrt(0.5)
    return np.asarray(matrix)
