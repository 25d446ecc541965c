"""The locks that let one process of a home compile at a time, and beside it one whose compilation takes long."""

import os
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from filelock import AsyncFileLock

from understudy.files.regular_file import open_regular

POLL_SECONDS = 0.1
_LONGEST_NOTE = 100


class LockPurpose(StrEnum):
    """The work for which a process holds the lock."""

    COMPILATION = "compilation"
    DOCTOR = "doctor"


@dataclass(frozen=True)
class LockHolder:
    """The process that holds the lock, or held it last."""

    purpose: LockPurpose
    process_id: int


def locate_compile_lock(var_dir: Path) -> Path:
    """Return the path of the home's lock file; without the file no process of this home holds the lock."""
    return var_dir / "compile.lock"


def locate_slow_lock(var_dir: Path) -> Path:
    """Return the path of the lock file of the compilation that takes long."""
    return var_dir / "compile-slow.lock"


def make_compile_lock(var_dir: Path, purpose: LockPurpose = LockPurpose.COMPILATION) -> AsyncFileLock:
    """Return a new handle on the home's lock, for use as `async with make_compile_lock(settings.var_dir):`.

    The operating system drops the lock when its holder ends, however it ends. A wait blocks neither the event loop nor
    a thread, and can be cancelled. `purpose` and the holder's process id are written into the file, for `read_holder`.
    Raises RuntimeError on entry when the same task holds the lock already, and OSError where the file cannot be opened
    or its file system has no locks.
    """
    return _make_lock(locate_compile_lock(var_dir), purpose)


def make_slow_lock(var_dir: Path, purpose: LockPurpose = LockPurpose.COMPILATION) -> AsyncFileLock:
    """Return a new handle on the lock of the one compilation that takes long. See `make_compile_lock`."""
    return _make_lock(locate_slow_lock(var_dir), purpose)


def _make_lock(path: Path, purpose: LockPurpose) -> AsyncFileLock:
    # The library's substitute for flock, a marker file, would outlive a killed holder.
    return AsyncFileLock(
        path,
        poll_interval=POLL_SECONDS,
        fallback_to_soft=False,
        on_acquired=lambda descriptor: _write_holder(descriptor, purpose),
    )


def _write_holder(descriptor: int, purpose: LockPurpose) -> None:
    if sys.platform == "win32":  # nobody else can read a file there whose first byte is locked
        return
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{purpose} {os.getpid()}".encode(), 0)


def read_holder(var_dir: Path) -> LockHolder | None:
    """Return the last holder of the lock, or None where the file names none. Ask only while the lock is held."""
    try:
        with open_regular(locate_compile_lock(var_dir)) as file:
            purpose, process_id = file.read(_LONGEST_NOTE).decode().split()
        return LockHolder(LockPurpose(purpose), int(process_id))
    except (OSError, ValueError):
        return None
