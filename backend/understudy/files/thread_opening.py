"""Opens a file or another resource on a thread for a task that may be cancelled meanwhile."""

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeVar


class _Closeable(Protocol):
    def close(self) -> None: ...


_Opened = TypeVar("_Opened", bound=_Closeable)


async def open_on_thread(open_it: Callable[[], _Opened]) -> _Opened:
    """Return what `open_it` returned on a thread; raises what it raises.

    A thread cannot be cancelled. Where the caller is, it goes on when the thread has ended and its result is closed, so
    that nothing is opened after the caller has tidied up.
    """
    opening = asyncio.ensure_future(asyncio.to_thread(open_it))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close)
        await asyncio.wait([opening])
        raise


def _close(opening: "asyncio.Future[_Opened]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
