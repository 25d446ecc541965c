"""Runs the decoding and encoding of large tensors in a thread, so that the event loop goes on."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

# Bytes; a thread does the work on a larger body.
SMALL = 1 << 16

T = TypeVar("T")


async def run_off_loop(size: int, work: Callable[[], T]) -> T:
    """Run `work` in a thread if it is about more than SMALL bytes, else here."""
    return work() if size <= SMALL else await asyncio.to_thread(work)
