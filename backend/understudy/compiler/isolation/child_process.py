"""Runs a child process, reads its output and ends it together with everything it started."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

_TAIL_BYTES = 64 << 10
_LINE_BYTES = 1 << 20
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class ChildExit:
    """Describes the end of a child: `code` is -N when signal N ended it; `stderr` holds its last 64 KiB."""

    code: int
    stderr: str
    timed_out: bool


async def _read_lines(stream: asyncio.StreamReader, on_line: Callable[[str], None]) -> None:
    while True:
        try:
            line = await stream.readline()
        except ValueError:  # a line longer than the limit is dropped
            continue
        if not line:
            return
        on_line(line.decode("utf-8", "replace").rstrip())


async def _read_tail(stream: asyncio.StreamReader) -> bytes:
    kept = b""
    while block := await stream.read(_TAIL_BYTES):
        kept = (kept + block)[-_TAIL_BYTES:]
    return kept


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


async def run(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: os.PathLike[str],
    seconds: float,
    on_line: Callable[[str], None],
    may_go_on: Callable[[], Awaitable[bool]] | None = None,
) -> ChildExit:
    """Run `command` in its own process group and return how it ended.

    The whole group is killed when the child ends, after `seconds`, and on cancellation. `on_line` is called with each
    line of standard output as it arrives. `may_go_on` is awaited again and again; where it returns False the group is
    killed as after `seconds`.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(environment),
        cwd=folder,
        limit=_LINE_BYTES,
        start_new_session=sys.platform != "win32",
    )
    assert process.stdout is not None  # noqa: S101
    assert process.stderr is not None  # noqa: S101
    listening = asyncio.gather(_read_lines(process.stdout, on_line), _read_tail(process.stderr))
    timed_out = False
    try:
        async with asyncio.timeout(seconds):
            # `wait` also waits for the pipes, which a grandchild may hold open for ever.
            while process.returncode is None:
                await asyncio.sleep(_POLL_SECONDS)
                if may_go_on is not None and not await may_go_on():
                    timed_out = True
                    break
    except TimeoutError:
        timed_out = True
    finally:
        # The group may outlive its leader; its number is not reused while it has a member.
        _kill(process)
        await process.wait()
        _, tail = await listening
    return ChildExit(process.returncode or 0, tail.decode("utf-8", "replace"), timed_out)
