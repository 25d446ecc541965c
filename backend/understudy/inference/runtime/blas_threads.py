"""Threads of the numerical libraries."""

from threadpoolctl import threadpool_limits


def pin_blas() -> None:
    """Pin every loaded BLAS and OpenMP pool to one thread, for the rest of the process.

    Whoever runs pipelines in a process (server, trainer, benchmark) calls it once at start, after numpy was imported.
    The mel product is small: split over threads it waits for them, and with other work on the cores it becomes eight
    times slower.
    """
    threadpool_limits(limits=1)
