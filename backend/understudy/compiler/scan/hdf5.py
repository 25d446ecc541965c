"""Checks every link and dataset of an HDF5 file before Keras opens it."""

from pathlib import Path
from typing import Any

import h5py

from understudy.errors import CompileFailed, ModelUnsafe

_MAX_OBJECTS = 100_000


def _make_refusal(detail: str) -> ModelUnsafe:
    return ModelUnsafe(detail, remedy="Save the model again with Keras; files it writes have none of this.")


def _check_dataset(name: str, dataset: Any) -> int:
    """Return the bytes that the dataset declares; raises ModelUnsafe when its values lie in another file."""
    if dataset.is_virtual:
        raise _make_refusal(f"The dataset {name!r} is virtual: it is made of other files.")
    if dataset.external:
        raise _make_refusal(f"The dataset {name!r} keeps its values in another file: {dataset.external[0][0]!r}.")
    return int(dataset.size or 0) * int(dataset.dtype.itemsize)


def _walk(group: Any, prefix: str, seen: set[Any], max_bytes: int) -> int:
    """Check everything below `group` and return the bytes that its datasets declare."""
    total = 0
    for name in group:
        path = f"{prefix}/{name}"
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            raise _make_refusal(f"{path!r} is a link into another file: {link.filename!r}.")
        if isinstance(link, h5py.SoftLink):
            raise _make_refusal(f"{path!r} is a soft link to {link.path!r}.")
        item = group[name]
        # A hard link may lead back to a group above; every object is visited once.
        info = h5py.h5o.get_info(item.id)
        if (key := (info.fileno, info.addr)) in seen:
            continue
        seen.add(key)
        if len(seen) > _MAX_OBJECTS:
            raise _make_refusal(f"The file holds more than {_MAX_OBJECTS} objects.")
        total += _check_dataset(path, item) if isinstance(item, h5py.Dataset) else _walk(item, path, seen, max_bytes)
        if total > max_bytes:
            raise _make_refusal(
                f"The file's arrays up to {path!r} declare more than {max_bytes} bytes (compile_memory_bytes)."
            )
    return total


def scan(path: Path, max_bytes: int) -> dict[str, Any]:
    """Check an HDF5 file and return what the next steps need of it.

    Returns `array_bytes`, the bytes of all arrays, and as text the root's attributes `model_config` and `keras_version`
    where they exist. Raises ModelUnsafe for links into other files, soft links, virtual and external datasets, and
    arrays of more than `max_bytes` together; CompileFailed when the file is truncated or damaged.
    """
    try:
        with h5py.File(path, "r") as file:
            found: dict[str, Any] = {"array_bytes": _walk(file, "", set(), max_bytes)}
            for name in ("model_config", "keras_version"):
                value = file.attrs.get(name)
                if value is not None:
                    found[name] = value.decode("utf-8") if isinstance(value, bytes) else str(value)
            return found
    except (OSError, RuntimeError, KeyError, UnicodeDecodeError) as error:
        raise CompileFailed(
            f"The HDF5 file cannot be read: {str(error)[:300]}",
            remedy="It is truncated or damaged: copy it again from where it was saved.",
        ) from error
