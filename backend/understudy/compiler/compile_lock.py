"""One compilation at a time for all processes of a home: a lock that ends with its holder."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

_RETRY_SECONDS = 0.1


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@asynccontextmanager
async def hold_exclusively(path: Path) -> AsyncIterator[None]:
    """Hold the lock file `path`; waiting blocks neither the event loop nor a thread, and can be cancelled.

    The system drops the lock when the holder closes the file or dies. Holders in one process exclude each other too.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        while not _try_lock(file):  # noqa: ASYNC110 -- another process cannot set an event of ours
            await asyncio.sleep(_RETRY_SECONDS)
        yield
