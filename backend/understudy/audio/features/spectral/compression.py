"""Logarithms of spectra.

Sources: librosa.power_to_db, librosa.amplitude_to_db, torchaudio.transforms.AmplitudeToDB.
"""

import math

import numpy as np
from numpy.typing import NDArray

from understudy.schemas.front_end.spectrum import Compression, Decibels, Linear, Logarithm

# The noise of a float32 transform lies about 160 dB below the loudest tone: 1e-4 of an amplitude 80 dB below it.
_LARGEST_SINGLE_TOP_DB = 80.0
_BASES = {"e": math.e, "10": 10.0, "2": 2.0}


def needs_double(compression: Compression) -> bool:
    """Return True when the noise of a float32 transform would show in the compressed values."""
    match compression:
        case Decibels():
            return compression.top_db is None or compression.top_db > _LARGEST_SINGLE_TOP_DB
        case Logarithm():
            return True
        case Linear():
            return False


def compress(values: NDArray[np.float32], compression: Compression) -> NDArray[np.float32]:
    """Return the compressed `values` float32 [frames, features] of a whole clip, in place of them."""
    match compression:
        case Decibels():
            return _to_decibels(values, compression)
        case Logarithm():
            np.maximum(values, np.float32(compression.floor), out=values)
            values += np.float32(compression.offset)
            np.log(values, out=values)
            if compression.base != "e":
                values *= np.float32(1 / math.log(_BASES[compression.base]))
            return values
        case Linear():
            return values


def _to_decibels(values: NDArray[np.float32], decibels: Decibels) -> NDArray[np.float32]:
    reference = values.max() if decibels.ref == "max" else decibels.ref
    # Computed as the values are, so that a value equal to the reference gives exactly 0.
    zero = np.full(1, max(reference, decibels.amin), np.float32)
    np.maximum(values, np.float32(decibels.amin), out=values)
    scale = np.float32((10.0 if decibels.of == "power" else 20.0) / math.log(10))
    for array in (zero, values):
        np.log(array, out=array)
        array *= scale
    values -= zero
    if decibels.top_db is not None:
        np.maximum(values, values.max() - np.float32(decibels.top_db), out=values)
    return values
