"""The server's side of one worker."""

import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from pydantic import ValidationError

from understudy.engine.processes.step_page import RunningStep
from understudy.engine.wire.channel import Channel, Frame, ProtocolError
from understudy.engine.wire.content import Content
from understudy.engine.wire.messages import (
    Cancel,
    ClipWindows,
    Failed,
    FromWorker,
    Load,
    StopRuns,
    ToWorker,
    from_worker,
)
from understudy.engine.wire.refusals import to_error
from understudy.engine.workers.fork_client import WorkerHandle

# The fork server reports how a worker ended within this time.
_EXIT_SECONDS = 1.0
# A step that takes too long is asked to stop; its process is killed where the step goes on for this time.
_STOP_SECONDS = 2.0


class WorkerGone(Exception):
    """The worker ended, or its running step was stopped, before it answered.

    `held` are the numbers of the requests that the step belonged to; `reason` says how it ended. `outside` means that
    another process has killed the worker, and `decoding` that the step decoded a recording and ran no model. `unclear`
    means that other threads ran graphs beside the step, any of which may have ended the worker.
    """

    def __init__(
        self, held: tuple[int, ...], reason: str, *, outside: bool, decoding: bool = False, unclear: bool = False
    ) -> None:
        super().__init__(reason)
        self.held = held
        self.reason = reason
        self.outside = outside
        self.decoding = decoding
        self.unclear = unclear


@dataclass(slots=True)
class _Pending:
    answer: "asyncio.Future[tuple[FromWorker, Frame]]"
    seconds: float
    owner: int
    on_windows: "Callable[[ClipWindows, Frame], None] | None"


class Worker:
    """Sends requests and matches answers. A worker that breaks the protocol or does not go on is killed."""

    def __init__(
        self, handle: WorkerHandle, on_gone: Callable[["Worker"], None], on_change: Callable[[], None]
    ) -> None:
        """`on_change` is called where `running` has changed, before the worker is sent the request."""
        self.handle = handle
        self.models: set[int] = set()
        self.ready = False
        self.promised = 0  # requests that it was chosen for and that have not ended
        self.gone = False
        self.started = time.monotonic()
        self.reason = ""  # set when it is gone
        self._reason = ""
        self._losing: asyncio.Task[None] | None = None
        self._on_gone = on_gone
        self._on_change = on_change
        self._pending: dict[int, _Pending] = {}
        self._seen: RunningStep | None = None
        self._longest_step = 0.0  # limit of a step whose callers went away
        self._stopping: RunningStep | None = None  # the last step that was asked to stop
        self._stopped: set[int] = set()  # owners of that step that have not been answered
        self._stopped_after = 0.0
        self._progress = time.monotonic()
        self._channel = Channel(handle.end, self._receive, self._lose)

    @property
    def running(self) -> int:
        """Number of requests that it has not answered."""
        return len(self._pending)

    async def request(
        self,
        message: ToWorker,
        request: int,
        content: Content,
        *,
        seconds: float,
        owner: int | None = None,
        on_windows: "Callable[[ClipWindows, Frame], None] | None" = None,
    ) -> tuple[FromWorker, Frame]:
        """Return the answer to a message, and its frame, whose content the caller unpacks.

        `seconds` is the longest time that one of its steps may take. `owner` is the number by which its steps name it
        where that is not `request`. `on_windows` gets the windows that come before the answer, and raises ValueError
        or ProtocolError for what a working process does not send. Raises WorkerGone and the worker's error.
        """
        if self.gone:
            raise WorkerGone((), self._reason, outside=False)
        answer: asyncio.Future[tuple[FromWorker, Frame]] = asyncio.get_running_loop().create_future()
        if not self._pending and self.handle.page.read() is None:
            self._progress = time.monotonic()
        if not isinstance(message, Load):
            self._longest_step = max(self._longest_step, seconds)
        self._pending[request] = _Pending(answer, seconds, request if owner is None else owner, on_windows)
        self._on_change()
        self._channel.send(message.model_dump_json().encode(), content.payload, content.descriptors)
        try:
            found, frame = await answer
        except asyncio.CancelledError:
            if not answer.cancelled() and answer.done() and answer.exception() is None:
                answer.result()[1].close()
            self._channel.send(Cancel(request=request).model_dump_json().encode())
            raise
        finally:
            self._pending.pop(request, None)
            self._on_change()
        if isinstance(found, Failed):
            frame.close()
            raise to_error(found.problem)
        return found, frame

    def tell(self, message: ToWorker) -> None:
        """Send a message that has no answer."""
        self._channel.send(message.model_dump_json().encode())

    def check_progress(self) -> None:
        """Stop the running step if it takes longer than it may, and kill the worker if it goes on."""
        step = self.handle.page.read()
        if step != self._seen or (step is None and not self._pending):
            self._seen, self._progress = step, time.monotonic()
            return
        allowed = self._find_allowed(step)
        late = time.monotonic() - self._progress - allowed
        if late > 0 and step is not None and step != self._stopping:
            self._stopping, self._stopped, self._stopped_after = step, set(step.requests), allowed
            self.tell(StopRuns())
        elif late > _STOP_SECONDS:
            self.kill(_describe_limit(allowed))

    def _find_allowed(self, step: RunningStep | None) -> float:
        """Return the limit of those that a step belongs to; without a step, the longest of all that wait."""
        if step is None:
            return max(each.seconds for each in self._pending.values())
        owners = (each.seconds for each in self._pending.values() if each.owner in step.requests)
        return max(owners, default=self._longest_step)

    def kill(self, reason: str) -> None:
        """End the process; the channel then reports that it is gone."""
        self._reason = self._reason or reason
        self.handle.kill()

    def close(self) -> None:
        """End the process without a report."""
        self.gone = True
        self._channel.close()
        self.handle.kill()
        self._fail(WorkerGone((), "the server stops", outside=True))

    def _receive(self, frame: Frame) -> None:
        if self._seen is None:  # else a stuck step goes on beside answers that need none
            self._progress = time.monotonic()
        try:
            message = from_worker.validate_json(frame.head)
        except ValidationError:
            frame.close()
            self.kill("it sent a message that cannot be read")
            return
        pending = self._pending.get(message.request)
        if pending is None or pending.answer.done():  # the caller went away
            frame.close()
            return
        if isinstance(message, ClipWindows):
            self._take_windows(pending, message, frame)
            return
        stopped = pending.owner in self._stopped
        self._stopped.discard(pending.owner)
        if stopped and isinstance(message, Failed):
            frame.close()
            gone = WorkerGone(
                (pending.owner,),
                _describe_limit(self._stopped_after),
                outside=False,
                decoding=self._stopping is not None and self._stopping.decoding,
            )
            pending.answer.set_exception(gone)
            return
        pending.answer.set_result((message, frame))

    def _take_windows(self, pending: _Pending, message: ClipWindows, frame: Frame) -> None:
        if pending.on_windows is None:
            frame.close()
            self.kill("it sent windows that nobody asked for")
            return
        try:
            pending.on_windows(message, frame)
        except (ValueError, ProtocolError) as error:
            frame.close()
            self.kill(f"it sent windows that cannot be used: {error}")

    def _lose(self, error: ProtocolError | None) -> None:
        self.gone = True
        self.handle.kill()
        self._reason = self._reason or (str(error) if error else "")
        self._losing = asyncio.create_task(self._report_loss())

    async def _report_loss(self) -> None:
        """Fail what is pending once the process's exit code is known."""
        step, beside = self.handle.page.read(), self.handle.page.runs_beside
        with suppress(TimeoutError):
            async with asyncio.timeout(_EXIT_SECONDS):
                await self.handle.exited.wait()
        code = self.handle.exit_code
        orphaned = code is None and self.handle.orphaned
        outside = not self._reason and (orphaned or code == -signal.SIGKILL)
        self.reason = self._reason or ("the process that forked it ended" if orphaned else _describe_exit(code))
        held, decoding = ((), False) if step is None else (step.requests, step.decoding)
        unclear = beside > 0 and not self._reason  # where the server killed it, the step was too long
        self._fail(WorkerGone(held, self.reason, outside=outside, decoding=decoding, unclear=unclear))
        self._on_gone(self)

    def _fail(self, gone: WorkerGone) -> None:
        for pending in list(self._pending.values()):
            if not pending.answer.done():
                pending.answer.set_exception(gone)


def _describe_limit(seconds: float) -> str:
    return f"one step took longer than {seconds:.0f} s"


def _describe_exit(code: int | None) -> str:
    if code is None:
        return "its exit was not seen"
    if code >= 0:
        return f"it exited with {code}"
    try:
        return f"signal {-code} ({signal.Signals(-code).name}) ended it"
    except ValueError:
        return f"signal {-code} ended it"
