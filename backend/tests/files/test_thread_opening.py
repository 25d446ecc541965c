"""A task that is cancelled while a thread opens a file for it ends when that file is closed."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import BinaryIO

import pytest

from understudy.files.thread_opening import open_on_thread

pytestmark = pytest.mark.anyio


async def test_what_the_thread_opened_is_returned(tmp_path: Path) -> None:
    with await open_on_thread(lambda: (tmp_path / "new").open("xb")) as file:
        file.write(b"content")
    assert (tmp_path / "new").read_bytes() == b"content"


async def test_what_the_thread_raises_is_raised(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await open_on_thread(lambda: (tmp_path / "absent").open("rb"))


async def _cancel(open_it: Callable[[], BinaryIO]) -> None:
    """Cancel the task that waits for the thread, and only then let the thread open."""
    began, cancelled = Event(), Event()

    def open_late() -> BinaryIO:
        began.set()
        assert cancelled.wait(30)
        return open_it()

    task = asyncio.ensure_future(open_on_thread(open_late))
    await asyncio.to_thread(began.wait, 30)
    task.cancel()
    await asyncio.sleep(0)
    cancelled.set()
    await task


async def test_a_cancelled_task_ends_when_its_file_is_closed(tmp_path: Path) -> None:
    files: list[BinaryIO] = []

    def open_it() -> BinaryIO:
        files.append((tmp_path / "new").open("xb"))
        return files[0]

    with pytest.raises(asyncio.CancelledError):
        await _cancel(open_it)
    [file] = files
    assert file.closed


async def test_a_cancelled_task_is_cancelled_also_where_the_thread_fails(tmp_path: Path) -> None:
    with pytest.raises(asyncio.CancelledError):
        await _cancel(lambda: (tmp_path / "absent").open("rb"))
