"""Stores what this process serves in the list of replicas."""

import asyncio
import os
import random
import secrets
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from understudy.errors import DatabaseUnavailable, UnderstudyError
from understudy.models.base import to_naive_utc
from understudy.registry.database.database import Database
from understudy.registry.database.database_time import build_now
from understudy.registry.database.slots import Use
from understudy.registry.deployment import replicas
from understudy.registry.deployment.desired_state import DesiredStatePoll
from understudy.registry.deployment.replicas import ReplicaReport
from understudy.serving.sync.live_model import LiveModel

log = structlog.get_logger()

REPORT_SECONDS = 10.0
# A load that lasts this long is reported: nobody can see a shorter one.
VISIBLE_SECONDS = 0.25
LEAVE_SECONDS = 3.0
FORGET_AFTER = timedelta(seconds=3 * REPORT_SECONDS)
# Old reports are never shown. Each server deletes them this often: a thousand servers must not do so a hundred times
# a second.
CLEAN_SECONDS = 300.0


class ReplicaReporter:
    """Writes a report where it differs from the last one, and at least every ten seconds."""

    def __init__(self, database: Database) -> None:
        self.replica = f"{socket.gethostname()}:{os.getpid()}"
        self._database = database
        self._reported: ReplicaReport | None = None
        self._due_at = 0.0
        self._clean_at = 0.0
        self._failed = False
        self._stored_at: datetime | None = None
        self._storing = asyncio.Lock()
        self._lag: tuple[int, float] | None = None

    @property
    def due_at(self) -> float:
        """The monotonic time at which the next report is due, though nothing changes."""
        return self._due_at

    async def report(
        self,
        live: LiveModel | None,
        desired: DesiredStatePoll | None,
        problem: UnderstudyError | None,
        *,
        since_start: bool,
        loading: bool,
    ) -> None:
        """Store what this process serves and desires, and what keeps it from that.

        `since_start` says that `desired` is what the process found when it started: that has no lag. A database that
        cannot be written is tried again at the next report, because it can still say what should be live.
        """
        state = "failed" if problem else "loading" if loading else "live" if live else "empty"
        report = ReplicaReport(
            self.replica,
            live.model.identity.model_id if live else None,
            live.model.identity.digest if live else None,
            live.generation if live else None,
            state,
            problem.problem() if problem else None,
            desired_generation=desired.generation if desired else None,
            load_seconds=live.load_seconds if live else None,
            lag_seconds=self._measure_lag(live, None if since_start else desired) if live else None,
        )
        now = time.monotonic()
        if report != self._reported or now >= self._due_at:
            # Servers that followed the same switch must not all report at the same moments from then on.
            self._reported, self._due_at = report, now + _vary(REPORT_SECONDS)
            await self._store(report)
            if now >= self._clean_at:
                self._clean_at = now + _vary(CLEAN_SECONDS)
                await self._clean()

    async def leave(self) -> None:
        """Remove this process from the list of replicas, because it stops."""
        with suppress(DatabaseUnavailable):  # the other processes remove it after a while
            async with self._database.write(Use.OWN, seconds=LEAVE_SECONDS) as session:
                await replicas.delete(session, self.replica)

    def _measure_lag(self, live: LiveModel, desired: DesiredStatePoll | None) -> float | None:
        """Return the seconds from the commit until the model was live here; None where this process started later."""
        if desired is not None and desired.changed_at is not None and desired.generation == live.generation:
            self._lag = live.generation, max(0.0, (to_naive_utc(live.since) - desired.changed_at).total_seconds())
        return self._lag[1] if self._lag is not None and self._lag[0] == live.generation else None

    async def _store(self, report: ReplicaReport) -> None:
        async with self._storing:
            earlier, self._stored_at = self._stored_at, None  # unknown, until this ends without an error
            try:
                async with self._database.write(Use.OWN) as session:
                    stored_at = await replicas.save(session, report, earlier=earlier)
                    if stored_at is None:
                        stored_at = await replicas.save(session, self._rename(report))
            except DatabaseUnavailable as error:
                if not self._failed:
                    log.error("this server could not be reported", detail=error.detail, remedy=error.remedy)
                self._failed = True
            else:
                self._stored_at, self._failed = stored_at, False

    def _rename(self, report: ReplicaReport) -> ReplicaReport:
        """Take another name: two containers may have the same host name and number their processes alike."""
        taken, (host, _, process) = self.replica, self.replica.rpartition(":")
        self.replica = f"{host}-{secrets.token_hex(3)}:{process}"
        log.warning("another server has the same host name and process id", replica=self.replica, taken=taken)
        return replace(report, replica=self.replica)

    async def _clean(self) -> None:
        with suppress(DatabaseUnavailable):  # old reports are not shown, and are deleted at another time
            async with self._database.write(Use.OWN) as session:
                await replicas.delete_unseen(session, since=build_now(session, before=FORGET_AFTER))


def _vary(seconds: float) -> float:
    """Return a random time between eight tenths of `seconds` and `seconds`."""
    return seconds * random.uniform(0.8, 1.0)  # noqa: S311


@asynccontextmanager
async def keep_reporting(report: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Report this process while the block loads a model, where that lasts.

    A process that reports nothing for half a minute counts as gone, and a compilation may take longer.
    """
    task = asyncio.create_task(_report_repeatedly(report))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])  # how it ends decides nothing


async def _report_repeatedly(report: Callable[[], Awaitable[None]]) -> None:
    await asyncio.sleep(VISIBLE_SECONDS)
    while True:
        try:
            await report()
        except Exception:  # only the report is lost
            log.exception("this server could not be reported")
        await asyncio.sleep(REPORT_SECONDS / 2)
