"""Measure the memory of this process: what it keeps of the recordings that it read, and the most that one needs."""

import ctypes
import resource
from pathlib import Path

from understudy.inference.runtime.memory import release_memory

_FIELDS = (
    *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
    *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
)
_SELF = Path("/proc/self")


class MemoryMeter:
    """Counts bytes of resident memory; freed memory is returned to the system before, so that it does not count.

    glibc keeps freed memory, so that one recording that needs 190 MB leaves a process that large for good.
    Where the system does not say how much memory a process has now, only what all recordings together needed is known.
    """

    def __init__(self) -> None:
        """Begin to count; the process has read a recording of each kind by now."""
        self._start = self._settled = _measure_released()

    def measure_need(self) -> int:
        """Return the most memory that was in use at once since the last measurement of growth."""
        return max(0, _measure_peak() - self._start)

    def measure_growth(self) -> int:
        """Return by how much the memory has grown since the meter was made."""
        self._start = _measure_released()
        return max(0, self._start - self._settled)


def count_allocated_bytes() -> int | None:
    """Return the bytes that were taken from glibc and not given back; None with another C library."""
    read = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if read is None:
        return None
    read.restype = _MallocInfo
    facts = read()
    return int(facts.uordblks) + int(facts.hblkhd)


class _MallocInfo(ctypes.Structure):
    """`struct mallinfo2` of glibc 2.33 and later."""

    _fields_ = tuple((name, ctypes.c_size_t) for name in _FIELDS)


def _measure_released() -> int:
    """Return freed memory to the system, let the peak begin here, and return the memory in use."""
    release_memory()
    try:
        (_SELF / "clear_refs").write_text("5")
        pages = int((_SELF / "statm").read_text().split()[1])
    except OSError:
        return _measure_peak()
    return pages * resource.getpagesize()


def _measure_peak() -> int:
    try:
        lines = (_SELF / "status").read_text().splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))
