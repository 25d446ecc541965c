"""Builds model files that are damaged, misleading or meant to hurt. Each function returns the path of its file."""

import io
import json
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_CONFIG = b'{"class_name": "Sequential", "config": {"name": "s", "layers": []}}'
_KERAS = {"metadata.json": b'{"keras_version": "3.15.1"}', "config.json": _CONFIG, "model.weights.h5": b""}


def write_keras(path: Path, entries: Mapping[str, bytes] = {}, compression: int = zipfile.ZIP_STORED) -> Path:
    """Write a `.keras` archive with these entries in place of, or beside, its usual ones."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in {**_KERAS, **entries}.items():
            archive.writestr(name, content)
    return path


def write_deep_metadata(path: Path, depth: int = 200_000) -> Path:
    """Write an archive whose metadata is nested deeper than a parser's stack."""
    return write_keras(path, {"metadata.json": b"[" * depth + b"]" * depth})


def write_deep_config(path: Path, depth: int = 200_000) -> Path:
    return write_keras(path, {"config.json": b"[" * depth + b"]" * depth})


def _damage_entry(path: Path, name: str, change: Callable[[bytearray, int, int], None]) -> Path:
    """Change bytes of an archive; `change` gets them with the offsets of the entry's local header and of its data."""
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        header = archive.getinfo(name).header_offset
    names, extra = struct.unpack_from("<HH", content, header + 26)
    change(content, header, header + 30 + names + extra)
    path.write_bytes(content)
    return path


def _find_directory_entry(content: bytearray, name: str) -> int:
    """Return the offset of the entry of the central directory."""
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        (length,) = struct.unpack_from("<H", content, at + 28)
        if content[at + 46 : at + 46 + length] == name.encode():
            return at
        at = content.find(b"PK\x01\x02", at + 4)
    raise ValueError(name)


def write_bad_compression(path: Path, name: str = "metadata.json") -> Path:
    """Write an archive with an entry that claims to be compressed and is not."""
    write_keras(path, {name: json.dumps({"keras_version": "3.15.1", "pad": "x" * 500}).encode()}, zipfile.ZIP_DEFLATED)

    def change(content: bytearray, _: int, data: int) -> None:
        content[data : data + 16] = b"\xff" * 16

    return _damage_entry(path, name, change)


def write_encrypted(path: Path, name: str = "metadata.json") -> Path:
    """Write an archive with an entry that is marked as encrypted."""
    write_keras(path)

    def change(content: bytearray, header: int, _: int) -> None:
        content[header + 6] |= 1
        content[_find_directory_entry(content, name) + 8] |= 1

    return _damage_entry(path, name, change)


def write_unknown_compression(path: Path, name: str = "metadata.json") -> Path:
    """Write an archive with an entry in a compression that does not exist."""
    write_keras(path)

    def change(content: bytearray, header: int, _: int) -> None:
        struct.pack_into("<H", content, header + 8, 77)
        struct.pack_into("<H", content, _find_directory_entry(content, name) + 10, 77)

    return _damage_entry(path, name, change)


def write_many_fields(path: Path, size: int = 4 << 20) -> Path:
    """Write a protobuf message of `size` bytes that is made of fields of two bytes each."""
    path.write_bytes(b"\x08\x01" * (size // 2))
    return path


def write_without_inputs(path: Path) -> Path:
    """Write an ONNX graph that answers a constant."""
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 2])
    constant = helper.make_node("Identity", ["weights"], ["scores"])
    weights = numpy_helper.from_array(np.array([[0.1, 0.9]], np.float32), "weights")
    _save(helper.make_graph([constant], "g", [], [scores], [weights]), path)
    return path


def write_endless(path: Path, width: int = 1024) -> Path:
    """Write an ONNX graph, x [N, width] -> y [N, width], that counts to 2^40 on every input."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node("Sin", ["state"], ["next"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, ["N", width]),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, ["N", width]),
        ],
    )
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", width]) for name in "xy")
    count = helper.make_tensor("count", TensorProto.INT64, [], [1 << 40])
    nodes = [
        helper.make_node("Constant", [], ["count"], value=count),
        helper.make_node("Loop", ["count", "", "x"], ["y"], body=body),
    ]
    _save(helper.make_graph(nodes, "g", [x], [y]), path)
    return path


def _save(graph: onnx.GraphProto, path: Path) -> None:
    path.write_bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9).SerializeToString()
    )
