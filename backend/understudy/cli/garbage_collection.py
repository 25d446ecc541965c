"""Python's cyclic garbage collector, kept from looking at what lives as long as the process."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def pause_garbage_collection() -> Iterator[None]:
    """Collect nothing while the block runs, and never look at what it made afterwards.

    Loading modules makes more than 100,000 objects that stay: looking at them again and again takes a tenth of a start,
    and every full collection later on would stop all threads for 60 ms.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
