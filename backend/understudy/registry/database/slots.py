"""Shares the connections of one process between its requests, its management and itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum, auto

_FOR_ITSELF = 1
_FOR_MANAGEMENT = 2


class Use(Enum):
    """Names the purpose of a transaction: the most urgent finds a connection when the others have used theirs up."""

    READ = auto()
    """Reading for a request. Leaves connections for management."""
    MANAGE = auto()
    """Management: registers, changes, activates, shows the status. Leaves connections for reading."""
    OWN = auto()
    """The server's own: it follows the registry and reports its state."""


class Slots:
    """Lets as many transactions pass at once as there are connections; the others wait in order."""

    def __init__(self, connections: int) -> None:
        self._all = asyncio.Semaphore(connections - _FOR_ITSELF)
        self._reads = asyncio.Semaphore(connections - _FOR_ITSELF - _FOR_MANAGEMENT)
        self._changes = asyncio.Semaphore(connections // 2)  # they wait for each other's locks
        self._own = asyncio.Semaphore(_FOR_ITSELF)

    @asynccontextmanager
    async def take(self, use: Use) -> AsyncIterator[None]:
        """Hold a connection's place while the block runs; wait for one where there is none."""
        if use is Use.OWN:
            async with self._own:
                yield
        elif use is Use.MANAGE:
            async with self._changes, self._all:
                yield
        else:
            async with self._reads, self._all:
                yield
