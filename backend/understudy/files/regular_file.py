"""Opens regular files only: a pipe or a device in a folder of files would hold up whoever opens it for ever."""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}
# Without it, opening a named pipe waits for somebody who writes to it.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class NotRegularFile(OSError):
    """The path leads to a pipe, a socket, a device or a folder; `strerror` says which."""


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file for reading; raises OSError, NotRegularFile for everything else that lies there."""
    _refuse(path, os.stat(path).st_mode)  # noqa: PTH116  # opening some devices does something already
    handle = os.open(path, _FLAGS)
    try:
        _refuse(path, os.fstat(handle).st_mode)  # another may lie there since
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_regular(path: Path) -> bytes:
    """Return the content of a regular file; raises what `open_regular` raises."""
    with open_regular(path) as file:
        return file.read()


def _refuse(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise NotRegularFile(errno.EINVAL, f"it is {kind}, not a file", str(path))
