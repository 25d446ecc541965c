"""Limits the compiler's child process before it opens a model file."""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from understudy.compiler.isolation import landlock, seccomp
from understudy.errors import CompileFailed

try:
    import resource
except ImportError:  # Windows has no such limits; the parent's wall clock still holds.
    resource = None  # type: ignore[assignment]

_OPEN_FILES = 1024
_NICENESS = 5  # a server on the same machine goes first
_CPU_GRACE_SECONDS = 5  # between the signal that names the limit and the one that cannot be caught
_PR_SET_PDEATHSIG = 1
_PACKAGE = Path(__file__).resolve().parents[2]


def make_memory_refusal(limit: int) -> CompileFailed:
    """Return the error for a model that needs more address space than `limit` bytes."""
    return CompileFailed(
        f"Loading the model needs more memory than the {limit} bytes that the compiler may use.",
        remedy="If the model is meant to be that large, raise UNDERSTUDY_COMPILE_MEMORY_BYTES.",
    )


class Limits(BaseModel):
    """The bytes and seconds that a child may use, and the one folder that it may write to."""

    model_config = ConfigDict(frozen=True)

    memory_bytes: int
    cpu_seconds: int
    file_bytes: int
    scratch: Path


def list_readable_paths() -> Iterator[Path]:
    """Yield the paths that the child may read: Python, its libraries, this package, and what the frameworks need.

    The folder above this package is not among them, because it may also hold the models and the database.
    """
    yield from (Path(prefix) for prefix in {sys.prefix, sys.base_prefix, sys.exec_prefix})
    yield from (Path(entry) for entry in sys.path if entry and Path(entry).resolve() != _PACKAGE.parent)
    yield _PACKAGE
    for name in ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/localtime", "/nix/store"):
        yield Path(name)
    for name in ("self", "cpuinfo", "meminfo", "stat", "version", "filesystems", "sys/vm", "sys/kernel"):
        yield Path("/proc", name)
    yield from (Path("/sys/devices/system"), Path("/sys/fs/cgroup"))
    yield from (Path("/dev", name) for name in ("urandom", "random", "zero"))


def lower_limit(name: str, soft: int, hard: int | None = None) -> bool:
    """Lower one resource limit; return False when this system does not have it."""
    number = getattr(resource, name, None)
    if number is None:
        return False
    try:
        _, ceiling = resource.getrlimit(number)
        allowed = [soft, soft if hard is None else hard]
        if ceiling != resource.RLIM_INFINITY:
            allowed = [min(value, ceiling) for value in allowed]
        resource.setrlimit(number, (allowed[0], allowed[1]))
    except (OSError, ValueError):
        # macOS names RLIMIT_AS and refuses to set it.
        if sys.platform == "linux":
            raise
        return False
    return True


def die_with_parent(parent: int) -> None:
    """Let the kernel kill this process when its parent ends, and exit when the parent has ended already."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("The process that asked for this compilation has ended.")


def apply(limits: Limits, parent: int) -> tuple[str, ...]:
    """Limit this process permanently and return the names of the limits that hold.

    Limits that the platform does not have are left out. Raises OSError when Linux has a limit and refuses to set it,
    so that a model file is never opened with less protection than the report states.
    """
    held: list[str] = []
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    if sys.platform == "linux":
        die_with_parent(parent)
        with contextlib.suppress(OSError):  # a hint to the kernel: should memory run out, end this process first
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    wanted = {
        "memory": ("RLIMIT_AS", limits.memory_bytes, None),
        "cpu": ("RLIMIT_CPU", limits.cpu_seconds, limits.cpu_seconds + _CPU_GRACE_SECONDS),
        "file_size": ("RLIMIT_FSIZE", limits.file_bytes, None),
        "open_files": ("RLIMIT_NOFILE", _OPEN_FILES, None),
        "core_dumps": ("RLIMIT_CORE", 0, None),
    }
    held += [name for name, (constant, soft, hard) in wanted.items() if lower_limit(constant, soft, hard)]
    held += landlock.restrict(list_readable_paths(), [limits.scratch, Path("/dev/null")])
    held += seccomp.apply()
    return tuple(dict.fromkeys(held))


def measure_peak_memory() -> int:
    """Return the most bytes of RAM that this process has held; 0 where the platform does not report them."""
    if resource is None:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) if sys.platform == "darwin" else int(peak) * 1024
