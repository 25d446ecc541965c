"""Reads a registered source: one file, or a SavedModel folder taken as a whole."""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from understudy.errors import FileMissing, FormatUnknown, PathRefused, TooLarge
from understudy.files.regular_file import open_regular

_BLOCK = 1 << 20


def _list_members(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield every file below `folder` with its relative POSIX path, sorted.

    Raises PathRefused for links that leave the folder and for links to folders.
    """
    root = folder.resolve()
    for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            raise PathRefused(
                f"{path.relative_to(folder).as_posix()} in the model folder is a link that leads out of it.",
                remedy="Replace the link by the file itself.",
            )
        if path.is_symlink() and path.is_dir():
            # rglob does not descend into it, so its files would be missing from the digest.
            raise PathRefused(
                f"{path.relative_to(folder).as_posix()} in the model folder is a link to a folder.",
                remedy="Replace the link by the folder itself.",
            )
        if not path.is_dir():
            yield path.relative_to(folder).as_posix(), path


def _require_regular(path: Path) -> os.stat_result:
    try:
        facts = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileMissing(f"There is no file {path.name}.") from error
    if not stat.S_ISREG(facts.st_mode):
        raise FormatUnknown(f"{path.name} is neither a regular file nor a folder.")
    return facts


def _digest_file(path: Path, copy_to: Path | None = None) -> str:
    _require_regular(path)
    digest = hashlib.sha256()
    with open_regular(path) as file:
        if copy_to is None:
            while block := file.read(_BLOCK):
                digest.update(block)
        else:
            with copy_to.open("xb") as target:
                while block := file.read(_BLOCK):
                    digest.update(block)
                    target.write(block)
    return digest.hexdigest()


def _compute_digest(path: Path, copy_to: Path | None) -> str:
    if not path.is_dir():
        return _digest_file(path, copy_to)
    if copy_to is not None:
        copy_to.mkdir()
    digest = hashlib.sha256()
    for name, member in _list_members(path):
        target = None
        if copy_to is not None:
            target = copy_to / name
            target.parent.mkdir(parents=True, exist_ok=True)
        # The bytes of the name, which need not be UTF-8.
        digest.update(os.fsencode(f"{name}\0{_digest_file(member, target)}\n"))
    return digest.hexdigest()


def compute_digest(path: Path) -> str:
    """Return the SHA-256 of a source as 64 hex digits.

    A file's digest is that of its content. A folder's digest is that of its sorted relative paths, each with its
    content's digest. Raises FileMissing when there is no such file, PathRefused for links that leave the folder, and
    FormatUnknown for devices and pipes.
    """
    return _compute_digest(path, None)


def compute_folder_digest(members: Iterable[tuple[str, str]]) -> str:
    """Return the digest that `compute_digest` returns for a folder of these relative POSIX paths and their SHA-256."""
    digest = hashlib.sha256()
    for name, content in sorted(members):
        digest.update(os.fsencode(f"{name}\0{content}\n"))
    return digest.hexdigest()


def copy_source(path: Path, target: Path, max_bytes: int) -> str:
    """Copy a source to the new path `target` and return the digest of exactly what was copied.

    Raises as `compute_digest`, and TooLarge when the source holds more than `max_bytes`.
    """
    if (size := measure_size(path)) > max_bytes:
        raise TooLarge(
            f"The model holds {size} bytes; {max_bytes} are allowed.", remedy="Raise UNDERSTUDY_MAX_MODEL_BYTES."
        )
    return _compute_digest(path, target)


def measure_size(path: Path) -> int:
    """Return the bytes of a file, or of all files of a folder. Raises as `compute_digest`."""
    if path.is_dir():
        return sum(_require_regular(member).st_size for _, member in _list_members(path))
    return _require_regular(path).st_size
