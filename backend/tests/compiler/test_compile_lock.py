"""The compile lock: one holder in all processes, free again when its holder is killed."""

import asyncio
import os
import sys
from pathlib import Path

import anyio
import pytest

from understudy.compiler.compile_lock import make_compile_lock

pytestmark = pytest.mark.anyio

HOLDER = """
import asyncio, sys
from pathlib import Path
from understudy.compiler.compile_lock import make_compile_lock

async def hold():
    async with make_compile_lock(Path(sys.argv[1])):
        print("held", flush=True)
        await asyncio.sleep(600)

asyncio.run(hold())
"""


async def test_only_one_task_holds_the_lock_and_the_event_loop_goes_on_meanwhile(tmp_path: Path) -> None:
    holders = most = 0

    async def hold() -> None:
        nonlocal holders, most
        async with make_compile_lock(tmp_path / "var"):
            holders += 1
            most = max(most, holders)
            await asyncio.sleep(0.02)
            holders -= 1

    await asyncio.gather(*(hold() for _ in range(4)))
    assert (holders, most) == (0, 1)


async def test_another_process_holds_the_lock_until_it_is_killed(tmp_path: Path) -> None:
    holder = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLDER, str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert holder.stdout is not None
    async with asyncio.timeout(60):
        assert await holder.stdout.readline() == b"held\n"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3), make_compile_lock(tmp_path):
            pytest.fail("two holders")
    holder.kill()
    await holder.wait()
    async with asyncio.timeout(10), make_compile_lock(tmp_path):
        pass


async def test_a_wait_can_be_cancelled_and_leaves_the_lock_to_others(tmp_path: Path) -> None:
    async def give_up_by_asyncio() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), make_compile_lock(tmp_path):
                pytest.fail("two holders")

    async def give_up_by_anyio() -> bool:
        with anyio.move_on_after(0.05) as scope:
            async with make_compile_lock(tmp_path):
                pytest.fail("two holders")
        return scope.cancelled_caught

    async with make_compile_lock(tmp_path):
        await asyncio.create_task(give_up_by_asyncio())
        assert await asyncio.create_task(give_up_by_anyio())
    async with asyncio.timeout(10), make_compile_lock(tmp_path):
        pass


async def test_a_cancelled_holder_lets_go(tmp_path: Path) -> None:
    held = asyncio.Event()

    async def hold() -> None:
        async with make_compile_lock(tmp_path):
            held.set()
            await asyncio.Event().wait()

    holder = asyncio.create_task(hold())
    await held.wait()
    holder.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holder
    async with asyncio.timeout(10), make_compile_lock(tmp_path):
        pass
