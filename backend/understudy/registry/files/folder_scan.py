"""Finds model files in `models/`, among them those that nobody has registered yet."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from understudy.compiler.formats.tensorflowjs import find_conversion
from understudy.schemas.registry.model_file import UnregisteredFile

_KINDS = {".keras": "keras", ".h5": "h5", ".hdf5": "h5", ".tflite": "tflite", ".onnx": "onnx"}


def scan_folder(models_dir: Path) -> list[UnregisteredFile]:
    """Return the model files and folders directly in `models_dir`, ordered by name; blocks on the disk.

    Folders of TensorFlow.js are among them, with a note that names the command that converts them.
    """
    return list(_scan(models_dir))


def _scan(models_dir: Path) -> Iterator[UnregisteredFile]:
    if not models_dir.is_dir():
        return
    for entry in sorted(models_dir.iterdir()):
        if entry.name.startswith("."):
            continue
        path = f"models/{entry.name}"
        is_saved_model = (entry / "saved_model.pb").is_file()
        command = find_conversion(entry, path) if entry.is_dir() and not is_saved_model else None
        kind = "saved_model" if is_saved_model else "tensorflowjs" if command else _KINDS.get(entry.suffix.lower())
        if kind is None or not (is_saved_model or command or entry.is_file()):
            continue
        yield UnregisteredFile(
            file_path=path,
            bytes=_measure_bytes(entry),
            modified_at=datetime.fromtimestamp(entry.stat().st_mtime, UTC),
            kind=kind,
            note=f"TensorFlow.js is not served as it is. Convert it: {command}" if command else None,
        )


def _measure_bytes(entry: Path) -> int:
    if entry.is_file():
        return entry.stat().st_size
    return sum(file.lstat().st_size for file in entry.rglob("*") if file.is_file())
