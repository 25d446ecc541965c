"""Marks files that a running process works on, so that other processes remove only what a crash left behind.

The mark is a lock of the operating system, which ends with its process.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from filelock import lock_descriptor, unlock_descriptor

from understudy.files.regular_file import open_regular

_MARK = ".lock"  # behind the name of a folder: the file that says who works in it


def create_owned(path: Path) -> BinaryIO:
    """Return a new file at `path`, which this process owns until it closes it or ends.

    Raises FileExistsError, and OSError where the folder cannot be written. On a file system without locks the file is
    owned by nobody, and `is_owned` raises there.
    """
    while True:
        file = path.open("xb")
        with suppress(OSError):
            lock_descriptor(file.fileno())
        if path.exists():
            return file
        file.close()  # another process swept it away before the lock was taken


def is_owned(path: Path) -> bool:
    """Return whether a process owns the file.

    Raises OSError for a file that cannot be opened and on a file system without locks.
    """
    with open_regular(path) as file:
        if not lock_descriptor(file.fileno(), blocking=False):
            return True
        unlock_descriptor(file.fileno())
        return False


def remove_if_left_over(path: Path) -> bool:
    """Delete a file that no process owns; return whether it was deleted. Raises OSError as `is_owned` does.

    The file is deleted under its lock: a process that is only just creating it creates it again.
    """
    with open_regular(path) as file:
        if not lock_descriptor(file.fileno(), blocking=False):
            return False
        try:
            path.unlink(missing_ok=True)
        finally:
            unlock_descriptor(file.fileno())
    return True


@contextmanager
def own_folder(folder: Path) -> Iterator[None]:
    """Own `folder`, which the block creates, while it runs; remove it afterwards. Raises OSError as `create_owned`."""
    mark = _locate_mark(folder)
    try:
        with create_owned(mark):
            try:
                yield
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    finally:
        with suppress(OSError):
            mark.unlink(missing_ok=True)


def is_folder_owned(folder: Path) -> bool:
    """Return whether a process works in the folder, or whether that cannot be found out."""
    try:
        return is_owned(_locate_mark(folder))
    except FileNotFoundError:
        return False
    except OSError:
        return True


def remove_left_over_folders(root: Path, pattern: str = "*") -> None:
    """Delete the folders and files below `root` in which no process works, with their marks. Never raises OSError."""
    with suppress(OSError):
        for entry in sorted(root.glob(pattern)):
            with suppress(OSError):
                if entry.name.endswith(_MARK):
                    if not entry.with_name(entry.name.removesuffix(_MARK)).exists():
                        remove_if_left_over(entry)
                elif not is_folder_owned(entry):
                    _remove(entry)
                    _locate_mark(entry).unlink(missing_ok=True)


def _locate_mark(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}{_MARK}")


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink(missing_ok=True)
