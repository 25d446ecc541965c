"""Puts clips and tensors into requests, and takes answers out of responses."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.load import Body

Array = NDArray[np.float32]
JSON = "application/json"
_BOUNDARY = "understudy-benchmark"


@dataclass(frozen=True)
class Answer:
    """The best label of a clip and its score."""

    label: str
    score: float


@dataclass(frozen=True)
class Hearing:
    """A route that takes recordings: `wrap` makes a body of the file and its content type."""

    path: str
    wrap: Callable[[bytes, str], Body]
    unwrap: Callable[[bytes], Answer]


@dataclass(frozen=True)
class Dense:
    """A route that takes float32 rows of 8 numbers and answers rows of 4."""

    path: str
    wrap: Callable[[Array], Body]
    unwrap: Callable[[bytes], Array]


def raw(recording: bytes, content_type: str) -> Body:
    return Body(recording, content_type)


def multipart(field: str) -> Callable[[bytes, str], Body]:
    """The recording as a form's only file."""

    def wrap(recording: bytes, content_type: str) -> Body:
        head = (
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="clip"\r\n'
            f"Content-Type: {content_type}\r\n\r\n"
        )
        content = head.encode() + recording + f"\r\n--{_BOUNDARY}--\r\n".encode()
        return Body(content, f"multipart/form-data; boundary={_BOUNDARY}")

    return wrap


def in_base64(place: Callable[[str], Any]) -> Callable[[bytes, str], Body]:
    """The recording in base64, where `place` puts it in a JSON document."""

    def wrap(recording: bytes, content_type: str) -> Body:
        del content_type
        return Body(json.dumps(place(base64.b64encode(recording).decode())).encode(), JSON)

    return wrap


def labelled(answer: bytes) -> Answer:
    """{"label": …, "score": …}"""
    return _answer(json.loads(answer))


def first_prediction(answer: bytes) -> Answer:
    """MLflow's {"predictions": [{"label": …, "score": …}]}"""
    return _answer(json.loads(answer)["predictions"][0])


def v2_text(answer: bytes) -> Answer:
    """A string output of the Open Inference Protocol that holds the JSON answer."""
    return _answer(json.loads(json.loads(answer)["outputs"][0]["data"][0]))


def _answer(document: dict[str, Any]) -> Answer:
    return Answer(document["label"], document["score"])


def rows_under(name: str) -> Callable[[Array], Body]:
    """Rows as nested JSON lists."""
    return lambda rows: Body(json.dumps({name: rows.tolist()}).encode(), JSON)


def from_json(*keys: str) -> Callable[[bytes], Array]:
    """Rows that lie in a JSON document under `keys`."""

    def unwrap(answer: bytes) -> Array:
        document = json.loads(answer)
        for key in keys:
            document = document[key]
        return np.asarray(document, np.float32)

    return unwrap


def raw_rows(rows: Array) -> Body:
    return Body(rows.tobytes(), "application/octet-stream")


def from_raw(answer: bytes) -> Array:
    return np.frombuffer(answer, np.float32).reshape(-1, 4)


def v2_json(rows: Array) -> Body:
    """An inference request of the Open Inference Protocol in JSON."""
    tensor = {"name": "x", "datatype": "FP32", "shape": list(rows.shape), "data": rows.ravel().tolist()}
    return Body(json.dumps({"inputs": [tensor]}).encode(), JSON)


def from_v2_json(answer: bytes) -> Array:
    [output] = json.loads(answer)["outputs"]
    return np.asarray(output["data"], np.float32).reshape(output["shape"])


def v2_binary(rows: Array) -> Body:
    """The same with its binary extension: the tensor's bytes follow the JSON, in both directions."""
    sizes = {"binary_data_size": rows.nbytes}
    tensor = {"name": "x", "datatype": "FP32", "shape": list(rows.shape), "parameters": sizes}
    document = {"inputs": [tensor], "parameters": {"binary_data_output": True}}
    header = json.dumps(document).encode()
    return Body(header + rows.tobytes(), "application/octet-stream", header_length=len(header))


def from_v2_binary(answer: bytes) -> Array:
    """The tensor at the end of a binary inference response with one output."""
    return np.frombuffer(answer[-16:], np.float32).reshape(-1, 4)
