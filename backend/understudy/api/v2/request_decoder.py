"""Decodes inference requests of the Open Inference Protocol, in JSON or with the binary tensor extension.

Sources: https://github.com/kserve/open-inference-protocol and Triton's extension_binary_data.md. The decoder
does not trust the request: it compares declared sizes with the bytes that came before it allocates memory by them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from math import prod
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from understudy.api.v2.datatypes import DTYPES
from understudy.errors import RequestInvalid
from understudy.schemas.inference.open_inference import MAX_AXES, MAX_SIZE

# A list or an object takes far more memory than its two bytes of JSON.
MAX_LISTS = 1 << 20

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class WantedOutput:
    """An output that the client wants; `classes` above 0 asks for that many best classes instead of the tensor."""

    name: str
    binary: bool
    classes: int


@dataclass(frozen=True, slots=True)
class DecodedRequest:
    """A decoded request; `outputs` is empty where the client wants all of them, in binary form if `binary`."""

    id: str | None
    inputs: dict[str, Array]
    outputs: tuple[WantedOutput, ...]
    binary: bool


def decode_request(body: bytes, header_length: str | None) -> DecodedRequest:
    """Decode `body`; `header_length` is the header Inference-Header-Content-Length. Raises RequestInvalid."""
    json_bytes, at = body, None
    if header_length is not None:
        at = _parse_length(header_length, len(body))
        json_bytes = body[:at]
    document = _parse_json(json_bytes)
    inputs: dict[str, Array] = {}
    for tensor in _read_objects(document, "inputs"):
        name = _read_name(tensor)
        if name in inputs:
            raise RequestInvalid(f"The input {name!r} is given twice.")
        inputs[name], at = _read_tensor(name, tensor, body, at)
    if at is not None and at != len(body):
        raise RequestInvalid(f"{len(body) - at} bytes follow the last input's data.")
    binary = _read_parameters(document, "request").get("binary_data_output") is True
    id_ = document.get("id")
    return DecodedRequest(
        id=id_ if isinstance(id_, str) else None,
        inputs=inputs,
        outputs=tuple(_read_wanted_output(output, binary=binary) for output in _read_objects(document, "outputs")),
        binary=binary,
    )


def _parse_length(header: str, size: int) -> int:
    if not (header.isascii() and header.isdigit() and len(header) < 16 and int(header) <= size):
        raise RequestInvalid(f"Inference-Header-Content-Length is {header!r:.40}, and the body has {size} bytes.")
    return int(header)


def _parse_json(json_bytes: bytes) -> dict[str, Any]:
    if json_bytes.count(b"[") + json_bytes.count(b"{") > MAX_LISTS:
        raise RequestInvalid(f"The JSON holds more than {MAX_LISTS} lists.", remedy="Send the data flat, or as binary.")
    try:
        document = orjson.loads(json_bytes)
    except orjson.JSONDecodeError as error:
        raise RequestInvalid(f"The body is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise RequestInvalid("The body is not a JSON object.")
    return document


def _read_objects(document: dict[str, Any], field: str) -> list[dict[str, Any]]:
    found = document.get(field, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise RequestInvalid(f"{field} is not a list of objects.")
    return found


def _read_name(tensor: dict[str, Any]) -> str:
    name = tensor.get("name")
    if not isinstance(name, str):
        raise RequestInvalid("A tensor has no name.")
    return name


def _read_parameters(owner: dict[str, Any], what: str) -> dict[str, Any]:
    found = owner.get("parameters", {})
    if not isinstance(found, dict):
        raise RequestInvalid(f"The parameters of {what} are not an object.")
    return found


def _read_wanted_output(output: dict[str, Any], *, binary: bool) -> WantedOutput:
    name = _read_name(output)
    parameters = _read_parameters(output, name)
    classes = parameters.get("classification", 0)
    if type(classes) is not int or classes < 0:
        raise RequestInvalid(f"The classification of {name} is not a number of classes.")
    return WantedOutput(name, parameters.get("binary_data", binary) is True, classes)


def _read_tensor(name: str, tensor: dict[str, Any], body: bytes, at: int | None) -> tuple[Array, int | None]:
    """Return the array and the offset of the next input's binary data, None where the body is JSON alone."""
    datatype = tensor.get("datatype")
    dtype = find_dtype(name, datatype)
    shape = tensor.get("shape")
    if not isinstance(shape, list):
        raise RequestInvalid(f"The shape of {name} is not a list.")
    check_shape(name, shape)
    size = _read_parameters(tensor, name).get("binary_data_size")
    if size is None:
        return _read_values(name, tensor.get("data"), dtype, shape), at
    if at is None:
        raise RequestInvalid(f"{name} comes as binary data, and Inference-Header-Content-Length is missing.")
    if type(size) is not int or not 0 <= size <= len(body) - at:
        raise RequestInvalid(f"{name} announces {size!r:.40} bytes, and {len(body) - at} are there.")
    return read_binary(name, body, at, size, dtype, shape), at + size


def find_dtype(name: str, datatype: object) -> np.dtype[Any]:
    """Return the dtype of an input's datatype. Raises RequestInvalid for one that no model takes."""
    dtype = DTYPES.get(datatype) if isinstance(datatype, str) else None
    if dtype is None:
        raise RequestInvalid(f"The datatype of {name} is {datatype!r:.40}; it may be {', '.join(DTYPES)}.")
    return dtype


def check_shape(name: str, shape: Sequence[object]) -> None:
    """Raises RequestInvalid for a shape that no array may have."""
    if len(shape) > MAX_AXES or not all(type(size) is int and 0 <= size <= MAX_SIZE for size in shape):
        raise RequestInvalid(f"The shape of {name} is not a list of at most {MAX_AXES} sizes.")


def read_binary(name: str, body: bytes, at: int, size: int, dtype: np.dtype[Any], shape: Sequence[int]) -> Array:
    """Return the array whose `size` bytes begin at `at`, without a copy where possible. Raises RequestInvalid."""
    count = prod(shape)
    if size != count * dtype.itemsize:
        raise RequestInvalid(f"{name} {list(shape)} takes {count * dtype.itemsize} bytes, and {size} are given.")
    flat = np.frombuffer(body, dtype, count, at) if count else np.empty(0, dtype)
    return (flat if flat.flags.aligned else flat.copy()).reshape(shape)


def _read_values(name: str, data: object, dtype: np.dtype[Any], shape: list[int]) -> Array:
    if not isinstance(data, list):
        raise RequestInvalid(f"{name} has neither data nor binary_data_size; shared memory is not offered.")
    flat = _flatten(name, data, shape)
    if not set(map(type, flat)) <= _TYPES_IN_JSON[dtype.kind]:
        raise RequestInvalid(f"The data of {name} do not all fit its datatype.")
    return build_array(name, flat, dtype, shape)


def build_array(name: str, flat: Sequence[Any], dtype: np.dtype[Any], shape: Sequence[int]) -> Array:
    """Return the array of Python's values in row-major order.

    Raises RequestInvalid for another number of values than `shape` takes, and for one that `dtype` cannot hold.
    """
    if len(flat) != prod(shape):
        raise RequestInvalid(f"{name} {list(shape)} takes {prod(shape)} values, and {len(flat)} are given.")
    try:
        # NumPy turns a value that float16 or float32 cannot hold into infinity.
        with np.errstate(over="raise"):
            return np.array(flat, dtype).reshape(shape)
    except (OverflowError, FloatingPointError) as error:
        raise RequestInvalid(f"The data of {name} go beyond its datatype: {error}.") from error


_TYPES_IN_JSON: dict[str, set[type]] = {"b": {bool}, "i": {int}, "u": {int}, "f": {float, int}}


def _flatten(name: str, data: list[Any], shape: list[int]) -> list[Any]:
    """Return the values in row-major order; `data` is flat already or nested as `shape` is."""
    if not data or type(data[0]) is not list:
        return data
    for size in shape[1:]:
        if set(map(type, data)) != {list} or set(map(len, data)) != {size}:
            raise RequestInvalid(f"The data of {name} are not nested like {shape}.")
        data = list(chain.from_iterable(data))
        if not data:
            break
    return data
