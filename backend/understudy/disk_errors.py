"""A disk that is full or closed to this user, as a typed error."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from understudy.errors import StorageUnavailable

_REFUSALS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}


@contextmanager
def translate_disk_errors(place: object) -> Iterator[None]:
    """Turn the system's refusal to read or write into StorageUnavailable; any other OSError passes.

    `place` is named where the system names no file itself.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        raise StorageUnavailable(f"{error.filename or place}: {error.strerror}.") from error
