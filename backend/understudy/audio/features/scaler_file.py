"""Read the numbers of a standardization from a file beside the model."""

import io
import json
import os
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from understudy.errors import SpecInvalid
from understudy.files.regular_file import open_regular
from understudy.schemas.front_end.arrangement import MAX_VALUES

MAX_BYTES = 16 << 20

_MEAN_NAMES = ("mean", "mean_")
_STD_NAMES = ("std", "scale_", "scale")
_VARIANCE_NAMES = ("var_", "var", "variance")

# Everything that zipfile and NumPy raise for a damaged archive; RuntimeError stands for a password that is missing.
_NPZ_ERRORS = (ValueError, EOFError, KeyError, RuntimeError, MemoryError, struct.error, zipfile.BadZipFile, zlib.error)
_REMEDY = (
    "Write the scaler's numbers as JSON: "
    'json.dump({"mean": scaler.mean_.tolist(), "std": scaler.scale_.tolist()}, open("scaler.json", "w"))'
)


def read_scaler(path: Path, name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the means and the standard deviations that the JSON or npz file at `path` holds.

    `name` is the file's name in error messages. The keys are `mean` or `mean_`, and `std`, `scale_` or `var_` (whose
    root is taken; as in scikit-learn, a variance of 0 gives 1). A pickle is never loaded. Raises SpecInvalid when the
    file is missing, too large, of another format, or holds other numbers than as many means as positive deviations.
    """
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            content = io.BytesIO(file.read(MAX_BYTES))
    except OSError as error:
        raise SpecInvalid(f"The spec names the scaler file {name}, which can't be read: {error.strerror}.") from error
    if size > MAX_BYTES:
        raise SpecInvalid(f"The scaler file {name} has {size} bytes; at most {MAX_BYTES} are read.", remedy=_REMEDY)
    arrays = _read_npz(content, name) if zipfile.is_zipfile(content) else _read_json(content.getvalue(), name)
    mean = _find(arrays, _MEAN_NAMES)
    std = _find(arrays, _STD_NAMES)
    if std is None and (variance := _find(arrays, _VARIANCE_NAMES)) is not None:
        std = np.where(variance == 0, 1.0, np.sqrt(np.maximum(variance, 0.0)))
    if mean is None or std is None:
        raise SpecInvalid(
            f"The scaler file {name} holds {', '.join(sorted(arrays)) or 'nothing'}; it needs mean and std.",
            remedy=_REMEDY,
        )
    _check_numbers(mean, std, name)
    return tuple(mean.tolist()), tuple(std.tolist())


def _find(arrays: dict[str, NDArray[np.float64]], names: tuple[str, ...]) -> NDArray[np.float64] | None:
    return next((arrays[name] for name in names if name in arrays), None)


def _check_numbers(mean: NDArray[np.float64], std: NDArray[np.float64], name: str) -> None:
    if len(mean) != len(std):
        raise SpecInvalid(f"The scaler file {name} holds {len(mean)} means and {len(std)} standard deviations.")
    if not 0 < len(mean) <= MAX_VALUES:
        raise SpecInvalid(f"The scaler file {name} holds {len(mean)} means; 1 to {MAX_VALUES} are allowed.")
    if not (np.isfinite(mean).all() and np.isfinite(std).all()):
        raise SpecInvalid(f"The scaler file {name} holds values that are infinite or not numbers (NaN).")
    if not (std > 0).all():
        raise SpecInvalid(
            f"The scaler file {name} holds the standard deviation {std.min():g} for feature {int(std.argmin())}; "
            "every one must be positive.",
            remedy="Write 1 for a feature that is constant, as scikit-learn's scale_ does.",
        )


def _read_json(content: bytes, name: str) -> dict[str, NDArray[np.float64]]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise SpecInvalid(
            f"The scaler file {name} is neither JSON nor npz. A pickle (joblib, .pkl) is not loaded, because it can "
            "run any code.",
            remedy=_REMEDY,
        ) from error
    if not isinstance(found, dict):
        raise SpecInvalid(f"The scaler file {name} holds no JSON object with mean and std.", remedy=_REMEDY)
    known = (*_MEAN_NAMES, *_STD_NAMES, *_VARIANCE_NAMES)
    return {key: _to_vector(value, key, name) for key, value in found.items() if key in known}


def _read_npz(file: io.BytesIO, name: str) -> dict[str, NDArray[np.float64]]:
    known = (*_MEAN_NAMES, *_STD_NAMES, *_VARIANCE_NAMES)
    try:
        with zipfile.ZipFile(file) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > MAX_BYTES:
            raise SpecInvalid(f"The scaler file {name} unpacks to {unpacked} bytes; at most {MAX_BYTES} are read.")
        with np.load(file, allow_pickle=False) as arrays:
            return {key: _to_vector(arrays[key], key, name) for key in arrays.files if key in known}
    except (*_NPZ_ERRORS, OSError) as error:
        raise SpecInvalid(f"The scaler file {name} is no npz file of numbers: {error}", remedy=_REMEDY) from error


def _to_vector(value: object, key: str, name: str) -> NDArray[np.float64]:
    """Return a number, a list or an array [n], [1, n] or [n, 1] as float64 [n]."""
    try:
        numbers = np.asarray(value, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise SpecInvalid(f"{key} in the scaler file {name} is no list of numbers.", remedy=_REMEDY) from error
    if numbers.ndim > 1 and max(numbers.shape) != numbers.size:
        shape = " x ".join(map(str, numbers.shape))
        raise SpecInvalid(f"{key} in the scaler file {name} has the shape {shape}; one number per feature is needed.")
    return numbers.reshape(-1)
