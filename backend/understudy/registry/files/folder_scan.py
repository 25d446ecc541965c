"""Finds model files in `models/`, among them those that nobody has registered yet."""

from datetime import UTC, datetime
from pathlib import Path

from understudy.compiler.formats.tensorflowjs import find_conversion
from understudy.files.disk_errors import translate_disk_errors
from understudy.schemas.registry.model_file import UnregisteredFile

_KINDS = {".keras": "keras", ".h5": "h5", ".hdf5": "h5", ".tflite": "tflite", ".onnx": "onnx"}


def scan_folder(models_dir: Path, backbone: Path | None = None) -> list[UnregisteredFile]:
    """Return the model files and folders directly in `models_dir`, ordered by name; blocks on the disk.

    Folders of TensorFlow.js are among them, with a note that names the command that converts them, and the file of the
    YAMNet backbone, with a note that says what it is. An entry that
    cannot be looked at, or is gone again, is left out. Raises StorageUnavailable where the folder cannot be read.
    """
    with translate_disk_errors(models_dir):
        entries = sorted(models_dir.iterdir()) if models_dir.is_dir() else []
    found = [_look_at(entry, backbone) for entry in entries if not entry.name.startswith(".")]
    return [file for file in found if file is not None]


def _look_at(entry: Path, backbone: Path | None) -> UnregisteredFile | None:
    """Return the entry of `models/`, or None where it is no model or cannot be looked at."""
    try:
        return _describe(entry, backbone)
    except (OSError, ValueError):
        return None


def _describe(entry: Path, backbone: Path | None) -> UnregisteredFile | None:
    name = _to_unicode(entry.name)
    path = f"models/{name}"
    is_saved_model = (entry / "saved_model.pb").is_file()
    command = find_conversion(entry, path) if entry.is_dir() and not is_saved_model else None
    kind = "saved_model" if is_saved_model else "tensorflowjs" if command else _KINDS.get(entry.suffix.lower())
    if kind is None or not (is_saved_model or command or entry.is_file()):
        return None
    note = f"TensorFlow.js is not served as it is. Convert it: {command}" if command else None
    if name != entry.name:
        note = "Its name is not UTF-8, so no request can name it. Rename it, then register it."
    if backbone is not None and entry.resolve() == backbone.resolve():
        note = "The YAMNet backbone, which the models on it share. It is no model of its own: register a head on it."
    return UnregisteredFile(
        file_path=path,
        bytes=_measure_bytes(entry),
        modified_at=_to_time(entry.stat().st_mtime),
        kind=kind,
        note=note,
    )


def _to_unicode(name: str) -> str:
    """Return a file's name with U+FFFD in place of bytes that are not UTF-8."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _to_time(seconds: float) -> datetime:
    """Return a time of the file system, which may lie beyond those that dates can have."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):  # OSError: a time that the C library cannot turn into a year
        return datetime.max.replace(tzinfo=UTC) if seconds > 0 else datetime.min.replace(tzinfo=UTC)


def _measure_bytes(entry: Path) -> int:
    if entry.is_file():
        return entry.stat().st_size
    return sum(file.lstat().st_size for file in entry.rglob("*") if file.is_file())
