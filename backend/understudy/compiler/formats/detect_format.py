"""Detects a model file's format by its content, without loading it and without any framework."""

import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from understudy.compiler.formats.tensorflowjs import find_conversion
from understudy.compiler.scan.archive import ENCRYPTED, ZIP_ERRORS
from understudy.errors import FormatUnknown, ModelUnsafe
from understudy.files.regular_file import open_regular
from understudy.schemas.compiler.model_format import ModelFormat

_HEAD_BYTES = 4096
_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_HDF5_OFFSETS = (0, 512, 1024, 2048)
_LFS_MAGIC = b"version https://git-lfs.github.com/spec"
_EXPORT = "Convert it in the environment that made it to ONNX and register the .onnx file."
_MOST_FIELDS = 100_000  # at the top of a protobuf message; exporters write some dozens
_COPY_AGAIN = "Copy or download the file again and compare its size with the original."


_SUFFIXES = {
    ".keras": ModelFormat.KERAS,
    ".h5": ModelFormat.H5,
    ".hdf5": ModelFormat.H5,
    ".tflite": ModelFormat.TFLITE,
    ".lite": ModelFormat.TFLITE,
    ".onnx": ModelFormat.ONNX,
}


@dataclass(frozen=True)
class DetectedFormat:
    """A detected format.

    `keras_version` is known here only for `.keras` archives. `note` tells the user that name and content disagree.
    """

    kind: ModelFormat
    keras_version: str | None = None
    note: str | None = None


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the protobuf varint at `at` and the position behind it; raises IndexError when the data ends in it."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _read_onnx_fields(path: Path) -> tuple[set[int], bool]:
    """Return the field numbers at the top of a protobuf message, and whether it ends where its lengths say.

    ModelProto has 1 ir_version, 7 graph and 8 opset_import (onnx/onnx.proto). Reads only the fields' heads, never the
    weights.
    """
    found: set[int] = set()
    size = path.stat().st_size
    at = 0
    with open_regular(path) as file:
        for _ in range(_MOST_FIELDS):
            if at >= size:
                break
            file.seek(at)
            head = file.read(20)
            try:
                tag, used = _read_varint(head, 0)
                length, used = _read_varint(head, used)
            except IndexError:
                return found, False
            if tag & 7 == 0:
                at += used
            elif tag & 7 == 2:
                at += used + length
            else:
                return set(), False
            found.add(tag >> 3)
    return found, at == size


def _detect_in_zip(path: Path) -> DetectedFormat:
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            if {"metadata.json", "config.json"} <= set(names):
                return DetectedFormat(ModelFormat.KERAS, keras_version=_read_keras_version(archive))
    except ZIP_ERRORS as error:
        raise FormatUnknown(
            f"The file starts like a .keras archive, but is truncated or damaged: {error}.", remedy=_COPY_AGAIN
        ) from error
    if any(name.endswith((".pkl", "/data.pkl", "constants.pkl")) for name in names):
        raise FormatUnknown(
            "This is a PyTorch file, which holds a pickle; pickles run code and are never opened.",
            remedy="Export it with torch.onnx.export(model, example, 'model.onnx') and register that file.",
        )
    if any(name.endswith("saved_model.pb") for name in names):
        raise FormatUnknown(
            "This is a SavedModel packed as a zip.", remedy="Unpack it and register the folder that has saved_model.pb."
        )
    if any(name.endswith(".npy") for name in names):
        raise FormatUnknown(
            "This is a NumPy archive: weights without a model.",
            remedy="Register the model itself; YAMNet's weights go to `understudy backbone install --from`.",
        )
    excerpt = ", ".join(sorted(names)[:5]) or "nothing"
    raise FormatUnknown(f"This is a zip archive that Keras did not write: it holds {excerpt}.")


def _read_keras_version(archive: zipfile.ZipFile) -> str | None:
    """Return the version of Keras that wrote the archive. Raises ModelUnsafe, and one of ZIP_ERRORS."""
    if archive.getinfo("metadata.json").flag_bits & ENCRYPTED:
        raise ModelUnsafe(
            "The archive's entry 'metadata.json' is encrypted.",
            remedy="Save the model again with Keras; archives it writes have no password.",
        )
    metadata = json.loads(archive.read("metadata.json")) if _is_small(archive, "metadata.json") else {}
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    return str(version) if version else None


def _is_small(archive: zipfile.ZipFile, name: str) -> bool:
    return archive.getinfo(name).file_size <= 1 << 20


def _refuse_known(head: bytes, path: Path) -> None:
    """Raise FormatUnknown, with the way out, for formats that are known but cannot be served."""
    if head.startswith(_LFS_MAGIC):
        raise FormatUnknown(
            "This is a Git-LFS pointer: the name and size of a file that was not fetched.",
            remedy="Fetch it: git lfs install, then git lfs pull.",
        )
    if not head:
        raise FormatUnknown("The file is empty.", remedy=_COPY_AGAIN)
    if re.match(rb"\x80[\x02-\x05]", head) or path.suffix in (".pkl", ".pickle", ".joblib"):
        maker = "scikit-learn" if b"sklearn" in head else "PyTorch" if b"torch" in head else "Python"
        raise FormatUnknown(f"This is a {maker} pickle; pickles run code and are never opened.", remedy=_EXPORT)
    others = {
        b"\x1f\x8b": ("a gzip file", "Unpack it and register what is inside."),
        b"\x93NUMPY": ("a NumPy array", "Register the model itself."),
        b"GGUF": ("a GGUF language model", "Register a sound-event model."),
        b"\x7fELF": ("a program", None),
        b"BZh": ("a bzip2 file", "Unpack it and register what is inside."),
    }
    for magic, (what, remedy) in others.items():
        if head.startswith(magic):
            raise FormatUnknown(f"This is {what}.", remedy=remedy)
    if re.match(rb"\s*<(!doctype|html)", head, re.IGNORECASE):
        raise FormatUnknown(
            "This is an HTML page, not a model.", remedy="Download the file itself, not the page about it."
        )
    if len(head) > 9 and head[8:9] == b"{" and b'"dtype"' in head:
        raise FormatUnknown("This is a safetensors file: weights without a model.", remedy=_EXPORT)


def refuse_tensorflowjs(path: Path, name: str) -> None:
    """Raise FormatUnknown with the command that converts it when `path`, called `name`, is a TensorFlow.js model."""
    if (command := find_conversion(path, name)) is not None:
        raise FormatUnknown(
            f"{name} is a TensorFlow.js model, which is not served as it is.",
            remedy=f"Convert it in an environment of its own, then register the result: {command}",
        )


def _detect_in_folder(path: Path, name: str) -> DetectedFormat:
    if (path / "saved_model.pb").is_file():
        return DetectedFormat(ModelFormat.SAVED_MODEL)
    refuse_tensorflowjs(path, name)
    names = sorted(entry.name for entry in path.iterdir())
    models = [name for name in names if Path(name).suffix in _SUFFIXES]
    raise FormatUnknown(
        f"The folder has no saved_model.pb (it holds: {', '.join(names[:8]) or 'nothing'}).",
        remedy=f"Register the file in it: {models[0]}." if models else "Register a SavedModel folder or a model file.",
    )


def _detect_by_content(path: Path, head: bytes) -> DetectedFormat:
    if head.startswith(b"PK\x03\x04"):
        return _detect_in_zip(path)
    if any(head[offset : offset + 8] == _HDF5_MAGIC for offset in _HDF5_OFFSETS):
        return DetectedFormat(ModelFormat.H5)
    if head[4:8] == b"TFL3":
        return DetectedFormat(ModelFormat.TFLITE)
    fields, whole = _read_onnx_fields(path)
    if 7 in fields and fields & {1, 8}:
        if not whole:
            raise FormatUnknown("The ONNX file is truncated: it ends inside its graph.", remedy=_COPY_AGAIN)
        return DetectedFormat(ModelFormat.ONNX)
    if path.name == "saved_model.pb":
        raise FormatUnknown("This is one part of a SavedModel.", remedy="Register the folder that holds it.")
    excerpt = head[:12].hex(" ")
    promised = _SUFFIXES.get(path.suffix.lower())
    if promised is not None:
        raise FormatUnknown(
            f"The file is named {path.suffix}, but its content is not: it starts with the bytes {excerpt}.",
            remedy=_COPY_AGAIN,
        )
    raise FormatUnknown(f"The file has no known model format; it starts with the bytes {excerpt}.")


def detect_format(path: Path, name: str | None = None) -> DetectedFormat:
    """Return the format of the file or folder `path`.

    `name` is the user's name for it, where that differs from the path's. Raises FormatUnknown, with the way out, for
    everything that cannot be served, and ModelUnsafe for an encrypted archive.
    """
    named = Path(name or path.name)
    if path.is_dir():
        return _detect_in_folder(path, named.name)
    with open_regular(path) as file:
        head = file.read(_HEAD_BYTES)
    _refuse_known(head, named)
    if head.lstrip()[:1] == b"{":
        refuse_tensorflowjs(path, named.name)
    found = _detect_by_content(path, head)
    promised = _SUFFIXES.get(named.suffix.lower())
    if promised is not None and promised is not found.kind:
        note = f"The file is named {named.suffix} and holds the format {found.kind.value}; it was read by its content."
        return DetectedFormat(found.kind, found.keras_version, note)
    return found
