"""The process's limit of open files, and the number of connections that it allows."""

import sys
from contextlib import suppress

# More than any server needs; some systems have no limit, and a table of that size would be large.
_WANTED = 65_536
# Descriptors of the database, the workers, files and the connections past the limit that health checks use.
_RESERVE = 80
# A connection, the temporary file of its body and the file that its worker reads.
_PER_CONNECTION = 3
_FEWEST = 8


def raise_descriptor_limit() -> int:
    """Raise the process's soft limit of open files towards its hard limit, and return the limit that holds."""
    if sys.platform == "win32":
        return _WANTED
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _WANTED
    wanted = _WANTED if hard == resource.RLIM_INFINITY else min(_WANTED, hard)
    if soft < wanted:
        with suppress(OSError, ValueError):  # macOS allows less than the hard limit says
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def count_connections(descriptors: int, most: int) -> int:
    """Return how many connections a process with `descriptors` open files may have, `most` at most."""
    return max(_FEWEST, min(most, (descriptors - _RESERVE) // _PER_CONNECTION))
