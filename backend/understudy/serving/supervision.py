"""Keeps the background tasks of a server running, and says which of them are down."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from understudy.errors import BackgroundTaskDown
from understudy.schemas.server.background_task import BackgroundTaskStatus
from understudy.serving.telemetry.counters import Counters

log = structlog.get_logger()

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60.0
# A task that ran as long as this before it failed is started again after the first pause.
_STEADY_SECONDS = 60.0


@dataclass
class _Task:
    """A task by its name. `reason` says why it is down, and is None while it runs."""

    name: str
    essential: bool
    started: float = field(default_factory=time.monotonic)
    pause: float = 0.0
    failed_at: datetime | None = None
    last_reason: str | None = None
    reason: str | None = None


class Supervisor:
    """Runs tasks that should never end, and starts each again that does, after a pause that doubles up to a minute.

    Use it on the event loop only.
    """

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._tasks: dict[str, _Task] = {}

    async def keep_running(self, name: str, work: Callable[[], Awaitable[None]], *, essential: bool) -> None:
        """Run `work` until cancelled. While an `essential` task is down, this server is not ready."""
        await self._run(name, work, essential=essential, once=False)

    async def run_once(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work` until it ends without an error."""
        await self._run(name, work, essential=False, once=True)

    async def _run(self, name: str, work: Callable[[], Awaitable[None]], *, essential: bool, once: bool) -> None:
        task = self._tasks[name] = _Task(name, essential)
        self._counters.task_failures[name] += 0  # Prometheus' increase() misses the first value of a new series
        while True:
            task.started, task.reason = time.monotonic(), None
            try:
                await work()
                if once:
                    del self._tasks[name]
                    return
                failure, reason = None, "It ended."
            except asyncio.CancelledError:
                if _is_being_cancelled():
                    raise
                failure, reason = None, "It was cancelled."  # by something inside it
            except Exception as error:  # noqa: BLE001  # logged below; the task is started again
                failure, reason = error, f"{type(error).__name__}: {error}"
            self._note_failure(task, reason, failure)
            await asyncio.sleep(task.pause)

    def _note_failure(self, task: _Task, reason: str, failure: Exception | None) -> None:
        steady = time.monotonic() - task.started >= _STEADY_SECONDS
        task.pause = FIRST_PAUSE_SECONDS if steady or not task.pause else min(2 * task.pause, LONGEST_PAUSE_SECONDS)
        task.reason = task.last_reason = reason
        task.failed_at = datetime.now(UTC)
        self._counters.task_failures[task.name] += 1
        log.error(
            "background task is down",
            task=task.name,
            reason=reason,
            remedy="It is started again by itself; report this line.",
            retry_seconds=task.pause,
            exc_info=failure,
        )

    def find_problem(self) -> BackgroundTaskDown | None:
        """Return the error of an essential task that is down, or None."""
        down = next((task for task in self._tasks.values() if task.essential and task.reason is not None), None)
        return None if down is None else _build_down(down)

    def list_notes(self) -> tuple[str, ...]:
        """Return a sentence for each task that is down and without which predictions go on."""
        return tuple(
            _build_down(task).detail for task in self._tasks.values() if task.reason is not None and not task.essential
        )

    def list_status(self) -> tuple[BackgroundTaskStatus, ...]:
        return tuple(
            BackgroundTaskStatus(
                name=task.name,
                running=task.reason is None,
                failures=self._counters.task_failures[task.name],
                failed_at=task.failed_at,
                reason=task.last_reason,
            )
            for task in self._tasks.values()
        )


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _build_down(task: _Task) -> BackgroundTaskDown:
    return BackgroundTaskDown(
        f"The background task {task.name} is down and is started again within {task.pause:g} seconds. {task.reason}"
    )
