"""The server's side of the fork server."""

import asyncio
import os
import signal
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

import structlog
from pydantic import ValidationError

from understudy.engine.processes.step_page import StepPage
from understudy.engine.wire.channel import Channel, Frame, ProtocolError, create_pair
from understudy.engine.wire.fork_messages import Configuration, Exited, Forked, Started, notices
from understudy.engine.workers.fork_process import ForkProcess

log = structlog.get_logger()

_START_SECONDS = 60.0


class ForkServerGone(Exception):
    """The fork server has ended, and all workers with it."""


@dataclass(eq=False)
class WorkerHandle:
    """A forked worker: this side's end of its channel, its step page and a descriptor of its process."""

    pid: int
    process: int
    end: socket.socket
    page: StepPage
    exit_code: int | None = field(default=None, init=False)
    orphaned: bool = field(default=False, init=False)  # the fork server ended, and the worker with it
    exited: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _closed: bool = field(default=False, init=False)

    def kill(self) -> None:
        """End the process at once."""
        if not self._closed:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.process, signal.SIGKILL)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            os.close(self.process)
            self.page.close()


class ForkServer:
    """Starts the process that forks workers, and asks it for them. Use it on one event loop."""

    def __init__(self, started: ForkProcess, on_gone: Callable[[], None]) -> None:
        self.walls: tuple[str, ...] = ()
        self._process = started.process
        self._on_gone = on_gone
        self._started = asyncio.Event()
        self._gone = False
        self._forks: deque[asyncio.Future[tuple[int, int]]] = deque()
        self._handles: dict[int, WorkerHandle] = {}
        self._channel = Channel(started.end, self._receive, self._lose)

    @classmethod
    def start(
        cls, configuration: Configuration, on_gone: Callable[[], None], *, ahead: ForkProcess | None = None
    ) -> Self:
        """Configure the process that was started ahead, or start one. Call it on the event loop's thread.

        `on_gone` is called when the process ends without `close`. Raises OSError.
        """
        started = ahead if ahead is not None and ahead.take() else ForkProcess.start()
        server = cls(started, on_gone)
        server._channel.send(configuration.model_dump_json().encode())
        return server

    @property
    def gone(self) -> bool:
        """True when the process has ended."""
        return self._gone

    async def fork(self) -> WorkerHandle:
        """Return a new worker. Raises ForkServerGone, and OSError where descriptors are used up."""
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self._started.wait()
                if self._gone:
                    raise ForkServerGone
                own, other = create_pair()
                page = StepPage.create()
                try:
                    forked = asyncio.get_running_loop().create_future()
                    self._forks.append(forked)
                    self._channel.send(b"{}", descriptors=[other.fileno(), page])
                    pid, process = await forked
                    handle = self._handles[pid] = WorkerHandle(pid, process, own, StepPage(page))
                except BaseException:
                    own.close()
                    raise
                finally:
                    other.close()
                    os.close(page)
                return handle
        except TimeoutError:
            self._process.kill()
            raise ForkServerGone from None

    def forget(self, handle: WorkerHandle) -> None:
        """Let go of a worker that has ended."""
        self._handles.pop(handle.pid, None)
        handle.close()

    async def close(self) -> None:
        """End the process and all workers."""
        self._gone = True
        self._channel.close()
        self._process.kill()
        await asyncio.to_thread(self._process.wait)
        self._fail_forks()

    def _receive(self, frame: Frame) -> None:
        try:
            notice = notices.validate_json(frame.head)
        except ValidationError:
            log.error("the fork server sent a message that cannot be read")  # the process is ended
            frame.close()
            self._process.kill()
            return
        match notice:
            case Started():
                self.walls = notice.walls
                self._started.set()
            case Forked():
                forked = self._forks.popleft()
                if forked.done() or not frame.descriptors:
                    frame.close()  # the worker's channel is closed, so that it ends
                else:
                    forked.set_result((notice.pid, frame.descriptors.pop()))
            case Exited():
                if (handle := self._handles.get(notice.pid)) is not None:
                    handle.exit_code = notice.code
                    handle.exited.set()

    def _lose(self, error: ProtocolError | None) -> None:
        self._gone = True
        self._started.set()
        self._process.kill()
        asyncio.get_running_loop().run_in_executor(None, self._process.wait)  # else it stays in the table of processes
        for handle in self._handles.values():
            handle.orphaned = True
            handle.exited.set()  # nobody will report its exit code
        log.error("the fork server ended", reason=str(error) if error else None)
        self._fail_forks()
        self._on_gone()

    def _fail_forks(self) -> None:
        for forked in self._forks:
            if not forked.done():
                forked.set_exception(ForkServerGone())
        self._forks.clear()
