"""Running a child: heard line by line, ended with all it started, never in the event loop's way."""

import asyncio
import sys
from pathlib import Path

import psutil
import pytest

from understudy.compiler import compile_lock
from understudy.compiler.isolation import child_process

pytestmark = pytest.mark.anyio


async def run(folder: Path, code: str, seconds: float = 30.0) -> tuple[child_process.ChildExit, list[str]]:
    heard: list[str] = []
    ended = await child_process.run(
        [sys.executable, "-c", code], environment={}, folder=folder, seconds=seconds, on_line=heard.append
    )
    return ended, heard


async def test_lines_are_heard_and_the_last_of_stderr_is_kept(tmp_path: Path) -> None:
    code = "import sys; print('one'); print('two'); sys.stderr.write('x' * 200_000 + 'end'); sys.exit(3)"
    ended, heard = await run(tmp_path, code)
    assert (ended.code, ended.timed_out, heard) == (3, False, ["one", "two"])
    assert len(ended.stderr) == 64 << 10
    assert ended.stderr.endswith("end")


async def test_a_line_without_end_does_not_stop_the_listening(tmp_path: Path) -> None:
    ended, heard = await run(tmp_path, "print('x' * 5_000_000); print('after')")
    assert ended.code == 0
    assert heard[-1] == "after"


async def test_the_signal_that_ended_a_child_is_told(tmp_path: Path) -> None:
    ended, _ = await run(tmp_path, "import os; os.abort()")
    assert ended.code == -6


SPAWNS = """
import subprocess, sys, time
grandchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])
print(grandchild.pid, flush=True)
time.sleep({seconds})
"""


async def wait_until_gone(pid: int) -> None:
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(("sleeps", "limit", "timed_out"), [(600, 2.0, True), (0, 60.0, False)])
async def test_grandchildren_end_with_the_child(tmp_path: Path, sleeps: int, limit: float, timed_out: bool) -> None:
    ended, heard = await run(tmp_path, SPAWNS.format(seconds=sleeps), limit)
    assert ended.timed_out is timed_out
    async with asyncio.timeout(30):
        await wait_until_gone(int(heard[0]))


async def test_cancelling_ends_the_child(tmp_path: Path) -> None:
    heard: list[str] = []
    task = asyncio.create_task(
        child_process.run(
            [sys.executable, "-c", SPAWNS.format(seconds=600)],
            environment={},
            folder=tmp_path,
            seconds=600,
            on_line=heard.append,
        )
    )
    async with asyncio.timeout(60):
        while not heard:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await wait_until_gone(int(heard[0]))


async def test_only_one_holder_at_a_time_and_the_loop_goes_on_meanwhile(tmp_path: Path) -> None:
    holders = most = 0

    async def hold() -> None:
        nonlocal holders, most
        async with compile_lock.hold_exclusively(tmp_path / "var" / "lock"):
            holders += 1
            most = max(most, holders)
            await asyncio.sleep(0.02)
            holders -= 1

    await asyncio.gather(*(hold() for _ in range(4)))
    assert (holders, most) == (0, 1)


async def test_the_lock_of_a_killed_process_is_free_again(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    code = f"import fcntl; f = open({str(path)!r}, 'ab'); fcntl.flock(f, fcntl.LOCK_EX); import os; os.abort()"
    await run(tmp_path, code)
    async with asyncio.timeout(10), compile_lock.hold_exclusively(path):
        pass


async def test_a_wait_for_the_lock_can_be_given_up(tmp_path: Path) -> None:
    async with compile_lock.hold_exclusively(tmp_path / "lock"):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), compile_lock.hold_exclusively(tmp_path / "lock"):
                pytest.fail("two holders")
