"""Datatypes of the Open Inference Protocol and the arrays that hold them.

BYTES is missing: the compiler refuses graphs with text in or out. It occurs in answers only, for classes in words.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from understudy.schemas.inference.open_inference import Datatype

# Little-endian, as the binary tensor extension lays them out.
DTYPES: Mapping[str, np.dtype[Any]] = {
    Datatype.BOOL: np.dtype("bool"),
    Datatype.UINT8: np.dtype("uint8"),
    Datatype.UINT16: np.dtype("<u2"),
    Datatype.UINT32: np.dtype("<u4"),
    Datatype.UINT64: np.dtype("<u8"),
    Datatype.INT8: np.dtype("int8"),
    Datatype.INT16: np.dtype("<i2"),
    Datatype.INT32: np.dtype("<i4"),
    Datatype.INT64: np.dtype("<i8"),
    Datatype.FP16: np.dtype("<f2"),
    Datatype.FP32: np.dtype("<f4"),
    Datatype.FP64: np.dtype("<f8"),
}
NAMES = {dtype: name for name, dtype in DTYPES.items()}
