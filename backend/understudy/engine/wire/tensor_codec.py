"""Arrays as bytes, with a description that the receiver checks before it believes it."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

_TEXT = "object"  # strings, as a list in JSON
_KINDS = "biuf"
_Size = Annotated[int, Field(ge=0)]


class TensorHead(BaseModel):
    """Name, type, shape and length in bytes of an array."""

    model_config = ConfigDict(frozen=True)

    name: str
    dtype: str
    shape: tuple[_Size, ...]
    length: int = Field(ge=0)


def encode(arrays: Mapping[str, NDArray[Any]]) -> tuple[tuple[TensorHead, ...], list[bytes | memoryview]]:
    """Return the descriptions of the arrays, and their bytes in the same order."""
    heads, parts = [], []
    for name, array in arrays.items():
        if array.dtype == object:
            part: bytes | memoryview = json.dumps([_to_text(value) for value in array.ravel().tolist()]).encode()
            dtype = _TEXT
        else:
            array = np.ascontiguousarray(array)
            part, dtype = (array.data.cast("B") if array.size else b""), array.dtype.name
        parts.append(part)
        heads.append(TensorHead(name=name, dtype=dtype, shape=array.shape, length=len(part)))
    return tuple(heads), parts


def decode(heads: Sequence[TensorHead], content: bytes | memoryview) -> dict[str, NDArray[Any]]:
    """Return the arrays by name, without a copy where they are numbers.

    Raises ValueError where the bytes are not what the descriptions say.
    """
    arrays: dict[str, NDArray[Any]] = {}
    at, view = 0, memoryview(content)
    for head in heads:
        part = view[at : at + head.length]
        at += head.length
        count = math.prod(head.shape)
        if head.dtype == _TEXT:
            values = json.loads(bytes(part))
            if not isinstance(values, list) or len(values) != count or not all(isinstance(one, str) for one in values):
                raise ValueError(f"{head.name} is not {count} strings")
            array = np.array(values, object)
        else:
            dtype = np.dtype(head.dtype)
            if dtype.kind not in _KINDS or len(part) != head.length or head.length != count * dtype.itemsize:
                raise ValueError(f"{head.name} has {head.length} bytes, not those of {head.shape} {head.dtype}")
            array = np.frombuffer(part, dtype)
        arrays[head.name] = array.reshape(head.shape)
    if at != len(view):
        raise ValueError(f"{len(view) - at} bytes more than the arrays have")
    return arrays


def _to_text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
