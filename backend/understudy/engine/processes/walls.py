"""The limits of worker processes: they read what they are handed, and reach nothing else."""

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from understudy.compiler.isolation import landlock, seccomp
from understudy.compiler.isolation.process_limits import list_readable_paths, lower_limit

_OPEN_FILES = 256
_LARGEST_FILE = 4 << 30  # an answer or a recording in a file without a name


def apply(memory_bytes: int, readable: Sequence[Path]) -> tuple[str, ...]:
    """Limit this process and all that it will fork, permanently; return the names of the limits that hold.

    `memory_bytes` is the memory that one process may write to. `readable` are paths beside Python and its libraries;
    nothing is writable. Limits that the platform lacks are left out. Raises OSError when Linux has a limit and refuses
    to set it.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # a hint to the kernel: should memory run out, end a worker first
            Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
    wanted = {
        "memory": ("RLIMIT_DATA", memory_bytes),
        "file_size": ("RLIMIT_FSIZE", _LARGEST_FILE),
        "open_files": ("RLIMIT_NOFILE", _OPEN_FILES),
        "core_dumps": ("RLIMIT_CORE", 0),
    }
    held = [name for name, (constant, value) in wanted.items() if lower_limit(constant, value)]
    held += landlock.restrict([*list_readable_paths(), *readable], [Path(os.devnull)])
    held += seccomp.apply()
    return tuple(dict.fromkeys(held))
