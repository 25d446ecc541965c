"""Lets quick compilations pass slow ones: every compilation begins in the quick lane, and long ones leave it."""

from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import AsyncFileLock, Timeout

from understudy.compiler.compile_lock import make_compile_lock, make_slow_lock


class CompileLanes:
    """The place of one compilation in its home, whose processes share two lanes of one place each.

    The quick lane is the compile lock. Who holds it never waits for the slow lane, so that nobody waits in a circle.
    Only its holder changes the compiled store. Raises what `make_compile_lock` says.
    """

    def __init__(self, var_dir: Path) -> None:
        self._quick = make_compile_lock(var_dir)
        self._slow = make_slow_lock(var_dir)

    async def __aenter__(self) -> Self:
        """Wait for the quick lane."""
        await self._quick.acquire()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._let_go(self._quick)
        await self._let_go(self._slow)

    async def try_slow_lane(self) -> bool:
        """Move to the slow lane if it is free; return whether it was."""
        if not await self.hold_slow_lane_too():
            return False
        await self._let_go(self._quick)
        return True

    async def wait_for_slow_lane(self) -> None:
        """Leave the quick lane, and wait for the slow one."""
        await self._let_go(self._quick)
        await self._slow.acquire()

    async def return_to_quick_lane(self) -> None:
        """Hold the quick lane, to store the result. The slow lane stays held."""
        if not self._quick.is_locked:
            await self._quick.acquire()

    async def hold_slow_lane_too(self) -> bool:
        """Hold both lanes if the slow one is free; return whether it was."""
        try:
            await self._slow.acquire(timeout=0)
        except Timeout:
            return False
        return True

    @staticmethod
    async def _let_go(lock: AsyncFileLock) -> None:
        if lock.is_locked:
            await lock.release()
