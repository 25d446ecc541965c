"""Limit the threads of the numerical libraries."""

from threadpoolctl import threadpool_limits


def pin_blas() -> None:
    """Limit each loaded BLAS and OpenMP pool to one thread, for the rest of the process.

    A process that runs pipelines (server, trainer, benchmark) calls this once at its start, after numpy is imported.
    The matrix product of the mel bands is too small for several threads: where other work occupies the cores, waiting
    for them makes it eight times slower.
    """
    threadpool_limits(limits=1)
