"""The lock that lets one process of a home compile at a time."""

from pathlib import Path

from filelock import AsyncFileLock

_POLL_SECONDS = 0.1


def make_compile_lock(var_dir: Path) -> AsyncFileLock:
    """Return a new handle on the home's lock, for use as `async with make_compile_lock(settings.var_dir):`.

    The operating system drops the lock when its holder ends, however it ends. A wait blocks neither the event loop nor
    a thread, and can be cancelled. Raises RuntimeError on entry when the same task holds the lock already, and OSError
    where the file cannot be opened or its file system has no locks.
    """
    # The library's substitute for flock, a marker file, would outlive a killed holder.
    return AsyncFileLock(var_dir / "compile.lock", poll_interval=_POLL_SECONDS, fallback_to_soft=False)
