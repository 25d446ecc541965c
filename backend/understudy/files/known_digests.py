"""Knows the SHA-256 of files, and computes it again where another file lies there or it was changed."""

import errno
import hashlib
from pathlib import Path

from understudy.files.regular_file import open_regular

Identity = tuple[int, int, int]


class FileReplaced(OSError):
    """The file was changed or replaced while it was read."""


class KnownDigests:
    """Digests by path. Inode, size and modification time tell whether a file is still the one that was read."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[Identity, str]] = {}

    def compute(self, path: Path) -> str:
        """Return the SHA-256 of a regular file as 64 hex digits; blocks. Raises OSError, and FileReplaced."""
        identity, known = _identify(path), self._known.get(path)
        if known is not None and known[0] == identity:
            return known[1]
        with open_regular(path) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if identity != _identify(path):
            raise FileReplaced(errno.EAGAIN, "it was replaced while it was read", str(path))
        self._known[path] = identity, digest
        return digest


def _identify(path: Path) -> Identity:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
