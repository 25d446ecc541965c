"""Lists the files of a home that belong into a backup."""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from understudy.errors import PathRefused
from understudy.registry.files import paths
from understudy.registry.files.model_signature import SIGNATURE_SUFFIX
from understudy.schemas.compiler.quantization import Precision
from understudy.settings import Settings

_TEMPORARY = (".new-", ".upload-")


@dataclass(frozen=True)
class HomeFile:
    """A regular file; `path` is POSIX and relative to the home folder."""

    path: str
    place: Path


def list_files(settings: Settings, model_paths: Iterable[str], *, compiled: bool) -> Iterator[HomeFile | str]:
    """Yield every file once, and a sentence for what cannot be saved.

    These are the files of `models/`, those of `model_paths` elsewhere in the home, the clips of examples and, with
    `compiled`, what was compiled, int8 variants of backbones too. Links that stay inside the home are followed; blocks
    on the disk.
    """
    seen: set[str] = set()
    folders = [settings.models_dir, settings.examples_dir, *([settings.compiled_dir] if compiled else ())]
    for folder in folders:
        for found in _walk(settings.home, folder):
            if _is_new(found, seen):
                yield found
    if compiled:
        # A server makes the other files of this folder again: copies of the backbones that are installed.
        for found in _walk(settings.home, settings.backbones_dir):
            if isinstance(found, HomeFile) and found.place.name.startswith(f"{Precision.INT8}-"):
                yield found
    for path in sorted(set(model_paths)):
        yield from _list_signature(settings, path, seen)
        try:
            place = paths.resolve_inside(settings.home, path)
        except PathRefused as error:
            yield error.detail
            continue
        if not place.exists():
            yield f"{path} is missing: the row that names it is saved without its file."
        elif place.is_dir():
            yield from (each for each in _walk(settings.home, settings.home / path) if _is_new(each, seen))
        elif path not in seen:
            seen.add(path)
            yield HomeFile(path, place)


def _list_signature(settings: Settings, path: str, seen: set[str]) -> Iterator[HomeFile]:
    """Yield the signature beside a model file, where there is one inside the home."""
    signature = f"{path}{SIGNATURE_SUFFIX}"
    with suppress(PathRefused):
        place = paths.resolve_inside(settings.home, signature)
        if place.is_file() and signature not in seen:
            seen.add(signature)
            yield HomeFile(signature, place)


def _is_new(found: HomeFile | str, seen: set[str]) -> bool:
    if isinstance(found, str):
        return True
    new = found.path not in seen
    seen.add(found.path)
    return new


def _walk(home: Path, folder: Path) -> Iterator[HomeFile | str]:
    """Yield the regular files below `folder`, in order."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    except OSError as error:
        yield f"{folder} cannot be read: {error.strerror}."
        return
    root = home.resolve()
    for entry in entries:
        path = str(PurePosixPath(folder.relative_to(home).as_posix()) / entry.name)
        if entry.name.startswith(_TEMPORARY):
            continue
        if not path.isprintable() or not paths.is_normal(
            path
        ):  # surrogates of a name that is not UTF-8 are not printable
            yield f"{path!a} has a name that is not the same everywhere: it is not saved."
            continue
        try:
            kind = entry.stat().st_mode
            place = Path(entry.path).resolve()
        except OSError as error:
            yield f"{path} cannot be read: {error.strerror}."
            continue
        if not place.is_relative_to(root):
            yield f"{path} is a link that leads out of the home folder: what it names is not saved."
        elif stat.S_ISDIR(kind):
            if entry.is_symlink():
                yield f"{path} is a link to another folder: it is not saved."
            else:
                yield from _walk(home, folder / entry.name)
        elif stat.S_ISREG(kind):
            yield HomeFile(path, place)
        else:
            yield f"{path} is no regular file: it is not saved."
