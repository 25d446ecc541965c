"""Decides when this process polls the database, and reports it in between."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from understudy.errors import DatabaseUnavailable
from understudy.registry.database.notifications import watch_changes
from understudy.serving.sync.reconciler import FIRST_RETRY_SECONDS, Reconciler
from understudy.settings import Settings

log = structlog.get_logger()


class PollLoop:
    """Polls at the interval of the settings, when it is woken, and when a load that failed is to be tried again."""

    def __init__(self, settings: Settings, reconciler: Reconciler) -> None:
        self._settings = settings
        self._reconciler = reconciler
        self._woken = asyncio.Event()
        self._publish_failed = False

    def wake(self) -> None:
        """Poll the database now instead of at the next interval."""
        self._woken.set()

    async def listen(self) -> None:
        """Poll the database as soon as it tells of a change, until cancelled. Without this, `run` still polls."""
        async for _ in watch_changes(self._settings):
            self.wake()

    async def run(self, publish: Callable[[], Awaitable[None]]) -> None:
        """Follow the database until cancelled; await `publish` after each poll."""
        while True:
            await self._reconciler.poll_once()
            await self._publish(publish)
            await self._rest()
            self._woken.clear()

    async def _rest(self) -> None:
        """Wait until the next poll is due, or a failed load is to be tried again, and report meanwhile.

        A poll may be due more seldom than a report, and a server without reports counts as gone.
        """
        reporter, began = self._reconciler.reporter, time.monotonic()
        # Servers that one notification woke must not all ask at the same moments from then on.
        ends = began + random.uniform(0.8, 1.0) * self._settings.poll_seconds  # noqa: S311
        ends = min(ends, max(self._reconciler.retry_at, began + FIRST_RETRY_SECONDS))
        while not self._woken.is_set() and (now := time.monotonic()) < ends:
            reports = self._reconciler.desired is not None and reporter.due_at < ends
            with suppress(TimeoutError):
                async with asyncio.timeout((reporter.due_at if reports else ends) - now):
                    await self._woken.wait()
            if reports and not self._woken.is_set():
                await self._report()

    async def _report(self) -> None:
        try:
            await self._reconciler.report()
        except Exception:  # only the report is lost
            log.exception("this server could not be reported")

    async def _publish(self, publish: Callable[[], Awaitable[None]]) -> None:
        try:
            with suppress(DatabaseUnavailable):  # the next poll reports it
                await publish()
        except Exception:  # the pages may miss events; this process must go on following the database
            if not self._publish_failed:
                log.exception("sending events to the pages failed", remedy="Understudy tries again; report this line.")
            self._publish_failed = True
        else:
            self._publish_failed = False
