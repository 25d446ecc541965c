"""A child process is read line by line and ends together with everything it started."""

import asyncio
import sys
from pathlib import Path

import psutil
import pytest

from understudy.compiler.isolation import child_process

pytestmark = pytest.mark.anyio


async def run(folder: Path, code: str, seconds: float = 30.0) -> tuple[child_process.ChildExit, list[str]]:
    lines: list[str] = []
    ended = await child_process.run(
        [sys.executable, "-c", code], environment={}, folder=folder, seconds=seconds, on_line=lines.append
    )
    return ended, lines


async def test_lines_are_passed_on_and_the_end_of_stderr_is_kept(tmp_path: Path) -> None:
    code = "import sys; print('one'); print('two'); sys.stderr.write('x' * 200_000 + 'end'); sys.exit(3)"
    ended, lines = await run(tmp_path, code)
    assert (ended.code, ended.timed_out, lines) == (3, False, ["one", "two"])
    assert len(ended.stderr) == 64 << 10
    assert ended.stderr.endswith("end")


async def test_a_line_beyond_the_limit_is_dropped_and_reading_goes_on(tmp_path: Path) -> None:
    ended, lines = await run(tmp_path, "print('x' * 5_000_000); print('after')")
    assert ended.code == 0
    assert lines[-1] == "after"


async def test_the_signal_that_ended_a_child_is_its_negative_exit_code(tmp_path: Path) -> None:
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
    ended, lines = await run(tmp_path, SPAWNS.format(seconds=sleeps), limit)
    assert ended.timed_out is timed_out
    async with asyncio.timeout(30):
        await wait_until_gone(int(lines[0]))


async def test_cancelling_ends_the_child(tmp_path: Path) -> None:
    lines: list[str] = []
    task = asyncio.create_task(
        child_process.run(
            [sys.executable, "-c", SPAWNS.format(seconds=600)],
            environment={},
            folder=tmp_path,
            seconds=600,
            on_line=lines.append,
        )
    )
    async with asyncio.timeout(60):
        while not lines:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await wait_until_gone(int(lines[0]))
