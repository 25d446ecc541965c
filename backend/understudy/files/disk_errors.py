"""Turns errors of the disk into StorageUnavailable: it is full, or this user may not use it."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from understudy.errors import StorageUnavailable

_REFUSALS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}


@contextmanager
def translate_disk_errors(place: object) -> Iterator[None]:
    """Raise StorageUnavailable when the system refuses to read or write; any other OSError passes unchanged.

    The message names `place` when the system's error names no file.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        raise StorageUnavailable(f"{error.filename or place}: {error.strerror}.") from error
