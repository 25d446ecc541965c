"""Opens a source of a known format: scans it, then loads it with the framework that wrote it."""

import zipfile
from importlib import import_module
from pathlib import Path
from typing import Any

from understudy.compiler.formats.loaded_model import LoadedModel
from understudy.compiler.scan import archive, keras_config
from understudy.errors import CompileFailed, CompilerMissing, FormatUnknown
from understudy.schemas.compiler.model_format import ModelFormat

_CONFIG = "config.json"
_WEIGHTS = "model.weights.h5"
_CONFIG_BYTES = 64 << 20


def _import_reader(module: str) -> Any:
    """Import a module of ours that needs a framework; raises CompilerMissing when that is not installed."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise CompilerMissing(f"This format needs the package {error.name}, which is not installed.") from error


def _open_keras(path: Path, version: str | None, config: str, stored_bytes: int, max_bytes: int) -> LoadedModel:
    """Load the file with the generation of Keras that wrote it.

    Keras 3 reads Keras 2 files only in part, and tf_keras reads no Keras 3 file.
    """
    major = (version or "2").split(".")[0]
    if major not in ("2", "3"):
        raise CompileFailed(
            f"The file was written by Keras {version}; 2 and 3 can be read.",
            remedy="Load it with that Keras and save it again with Keras 2.15 or 3.",
        )
    keras_config.scan(config, stored_bytes=stored_bytes, max_bytes=max_bytes)
    module = _import_reader(f"understudy.compiler.formats.keras.keras{major}")
    keras_config.scan(config, stored_bytes=stored_bytes, max_bytes=max_bytes, known_layers=module.list_layer_names())
    loaded: LoadedModel = module.load(path, f"keras {version}" if version else None)
    return loaded


def _open_archive(path: Path, version: str | None, max_bytes: int) -> LoadedModel:
    archive.scan(path, max_bytes)
    try:
        config, weights = _unpack(path)
    except archive.ZIP_ERRORS as error:
        raise archive.build_damaged(error) from error
    found = _import_reader("understudy.compiler.scan.hdf5").scan(weights, max_bytes)
    note = _import_reader("understudy.compiler.formats.keras.windows_separators").mend_archive(path, weights)
    loaded = _open_keras(path, version, config, found["array_bytes"], max_bytes)
    loaded.notes = (note,) if note else ()
    return loaded


def _unpack(path: Path) -> tuple[str, Path]:
    """Return the config of a `.keras` archive, and its weights as a file. Raises CompileFailed and ZIP_ERRORS."""
    with zipfile.ZipFile(path) as file:
        names = set(file.namelist())
        if _WEIGHTS not in names:
            raise CompileFailed(
                f"The archive has no {_WEIGHTS}: it holds {', '.join(sorted(names)[:8])}.",
                remedy="Save the whole model with model.save('name.keras').",
            )
        if file.getinfo(_CONFIG).file_size > _CONFIG_BYTES:
            raise CompileFailed(f"The archive's {_CONFIG} holds more than {_CONFIG_BYTES} bytes.")
        config = file.read(_CONFIG).decode("utf-8", "replace")
        return config, Path(file.extract(_WEIGHTS, path.parent / "unpacked"))


def _open_hdf5(path: Path, max_bytes: int) -> LoadedModel:
    found = _import_reader("understudy.compiler.scan.hdf5").scan(path, max_bytes)
    if "model_config" not in found:
        raise FormatUnknown(
            "This HDF5 file holds weights without a model: it has no model_config.",
            remedy="Save the whole model with model.save(...), not save_weights(...).",
        )
    return _open_keras(path, found.get("keras_version"), found["model_config"], found["array_bytes"], max_bytes)


def open_source(path: Path, kind: ModelFormat, keras_version: str | None, max_bytes: int) -> LoadedModel:
    """Scan and load a source. Its name must end as Keras expects it (`.keras`, `.h5`).

    `path` must be a copy that belongs to the compiler: an archive with backslashes in its names is mended in place.
    Raises ModelUnsafe for hostile content and for arrays that declare more than `max_bytes`, CompileFailed when the
    framework cannot load the source, FormatUnknown for weights without a model, and CompilerMissing when the framework
    is not installed.
    """
    if kind is ModelFormat.KERAS:
        return _open_archive(path, keras_version, max_bytes)
    if kind is ModelFormat.H5:
        return _open_hdf5(path, max_bytes)
    loaded: LoadedModel
    if kind is ModelFormat.SAVED_MODEL:
        _import_reader("understudy.compiler.scan.saved_model").scan(path)
        loaded = _import_reader("understudy.compiler.formats.saved_model").load(path)
    elif kind is ModelFormat.TFLITE:
        loaded = _import_reader("understudy.compiler.formats.tflite").load(path)
    else:
        model = _import_reader("understudy.compiler.scan.onnx_file").scan(path, max_bytes)
        loaded = _import_reader("understudy.compiler.formats.onnx_file").load(model)
    return loaded
