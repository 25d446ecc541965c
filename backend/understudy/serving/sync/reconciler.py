"""Loads the model that the database desires, in every process."""

import asyncio
import os
import random
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from understudy.errors import (
    DatabaseUnavailable,
    ModelNotLoaded,
    RegistryOutdated,
    SeveralActive,
    Unavailable,
    UnderstudyError,
)
from understudy.models.base import to_naive_utc
from understudy.registry.database.database import Database
from understudy.registry.database.notifications import watch_changes
from understudy.registry.database.slots import Use
from understudy.registry.deployment import desired_state, replicas
from understudy.registry.deployment.desired_state import DesiredStatePoll
from understudy.registry.deployment.replicas import ReplicaReport
from understudy.registry.models import model_history, rows
from understudy.schemas.access.actor import Source
from understudy.schemas.compiler.quantization import Precision
from understudy.serving.activation.preparation import Preparation
from understudy.serving.sync.live_model import LiveModel, LiveModelReference, log_live
from understudy.serving.telemetry.counters import Counters
from understudy.settings import Settings

log = structlog.get_logger()

# The documented repair by hand deactivates all models and then activates one: the live model stays in between.
EMPTY_GRACE_SECONDS = 5.0
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0
REPORT_SECONDS = 10.0
# A load that lasts this long is reported: nobody can see a shorter one.
VISIBLE_SECONDS = 0.25
LEAVE_SECONDS = 3.0
FORGET_AFTER = timedelta(seconds=3 * REPORT_SECONDS)
_NO_TIME = datetime.min.replace(tzinfo=UTC)


class Reconciler:
    """Polls the desired state, loads the desired model, retries with back-off and reports what this process serves.

    A load that fails keeps the old model live.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        preparation: Preparation,
        live: LiveModelReference,
        counters: Counters,
    ) -> None:
        self._settings = settings
        self._database = database
        self._preparation = preparation
        self._live = live
        self._counters = counters
        self.replica = f"{socket.gethostname()}:{os.getpid()}"
        self.desired: DesiredStatePoll | None = None
        self.problem: UnderstudyError | None = None
        self.outage: DatabaseUnavailable | None = None
        self._failed: DesiredStatePoll | None = None
        self._retry_at = 0.0
        self._retry_seconds = FIRST_RETRY_SECONDS
        self._empty_since: float | None = None
        self._reported: ReplicaReport | None = None
        self._reported_at = 0.0
        self._publish_failed = False
        self._report_failed = False
        self._looked_at: float | None = None
        self._desired_since = 0.0
        self._first_generation: int | None = None
        self._lag: tuple[int, float] | None = None
        self._wake = asyncio.Event()

    @property
    def registry_age_seconds(self) -> float | None:
        """Return the time since the database was last read in seconds; None before the first time."""
        return None if self._looked_at is None else time.monotonic() - self._looked_at

    @property
    def outdated(self) -> bool:
        """Return True when the last successful look at the database is too long ago to say what should be live."""
        age, longest = self.registry_age_seconds, self._settings.max_registry_age_seconds
        return age is not None and 0 < longest < age

    @property
    def in_sync(self) -> bool:
        """Return True when this process serves the model that the database desired at the last poll.

        False also when that poll is too long ago.
        """
        if self.desired is None or self.outdated:
            return False
        live = self._live.current
        if live is not None and live.generation > self.desired.generation:
            return True  # committed after the last poll
        if live is None:
            return self.desired.active_model_id is None
        wanted = self.desired.active_model_id, self.desired.variant
        return wanted == (live.model.identity.model_id, live.model.variant)

    @property
    def following(self) -> bool:
        """Return True while the live model answers and the newly desired one is on its way.

        The other process that switches has not loaded it yet, the process that switches has committed and not swapped,
        or the live model stays for a moment because none is marked active. False once loading has failed, and when it
        takes longer than a compilation may.
        """
        if self.desired is None or self.outdated or self.in_sync or self._live.current is None:
            return False
        if self.problem is not None:
            return False
        return time.monotonic() - self._desired_since < self._settings.compile_wall_seconds

    def build_not_loaded(self) -> Unavailable:
        """Return the error that says why this process is not in sync: ModelNotLoaded or RegistryOutdated."""
        if self.outdated:
            reason = f" {self.outage.detail}" if self.outage else ""
            return RegistryOutdated(f"The registry was last read {self.registry_age_seconds:.0f} s ago.{reason}")
        problem = self.problem or self.outage
        if problem is not None:
            return ModelNotLoaded(problem.detail, remedy=problem.remedy)
        if self.desired is None:
            return ModelNotLoaded("Not ready: the database has not answered yet.")
        if self.desired.active_model_id is None:
            return ModelNotLoaded("Not ready: no model is marked active any more.")
        return ModelNotLoaded(f"Not ready: model {self.desired.active_model_id} is being loaded.")

    def wake(self) -> None:
        """Poll the database now instead of at the next interval."""
        self._wake.set()

    async def follow(self, publish: Callable[[], Awaitable[None]]) -> None:
        """Follow the database until cancelled; await `publish` after each poll."""
        while True:
            await self.poll_once()
            await self._publish(publish)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.poll_seconds):
                    await self._wake.wait()
            self._wake.clear()

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

    async def leave(self) -> None:
        """Remove this process from the list of replicas, because it stops."""
        with suppress(DatabaseUnavailable):  # the other processes remove it after a while
            async with self._database.write(Use.OWN, seconds=LEAVE_SECONDS) as session:
                await replicas.delete(session, self.replica)

    async def read_desired(self) -> None:
        """Read the desired state; load and report nothing. Raises DatabaseUnavailable."""
        async with self._database.read(Use.OWN) as session:
            self._note_desired(await desired_state.poll(session))

    def _note_desired(self, desired: DesiredStatePoll) -> None:
        if self.desired != desired:
            self._desired_since = time.monotonic()
        self.desired = desired
        self._looked_at = time.monotonic()
        if self._first_generation is None:
            self._first_generation = desired.generation

    async def load_desired(self) -> None:
        """Load the desired model once, for a process that is not a server. Write nothing.

        Raises DatabaseUnavailable and SeveralActive. After any other failure no model is live, and `not_loaded` names
        the reason.
        """
        async with self._database.read(Use.OWN) as session:
            desired = await desired_state.poll(session)
            self._note_desired(desired)
            await desired_state.refuse_several_active(session)
        if desired.active_model_id is not None:
            variant = Precision.FLOAT32 if desired.drifted else desired.variant
            try:
                loaded = await self._preparation.prepare_desired(desired.active_model_id, variant)
            except DatabaseUnavailable:
                raise
            except UnderstudyError as error:
                self.problem = error
                return
            self._live.swap(LiveModel(loaded, desired.generation, datetime.now(UTC)))

    async def listen(self) -> None:
        """Poll the database as soon as it tells of a change, until cancelled. Without this, `follow` still polls."""
        async for _ in watch_changes(self._settings):
            self.wake()

    async def poll_once(self) -> None:
        """Poll the database once and load the desired model if it is not live.

        An outage or any other error leaves the live model as it is until a later poll succeeds.
        """
        try:
            await self._poll()
        except DatabaseUnavailable as error:
            if self.outage is None:
                log.error("database unavailable", detail=error.detail, remedy=error.remedy)
            self.outage = error
        except SeveralActive as error:  # marked between the poll and the write that follows from it
            self.problem = error
        except Exception as error:  # the task must not end: this process would never follow the database again
            problem = _wrap_unforeseen(error)
            if self.problem is None or self.problem.detail != problem.detail:
                log.exception("following the database failed", remedy="Understudy tries again; report this line.")
            self.problem = problem

    async def _poll(self) -> None:
        live = self._live.current
        async with self._database.read(Use.OWN) as session:
            desired = await desired_state.poll(session)
        if live is not None and live.generation > desired.generation:
            # That generation was committed before this poll, and the database does not have it.
            log.warning("database restored from an earlier state", generation=desired.generation, was=live.generation)
            self._live.rewind(live, desired.generation)
        if self.outage is not None:
            log.info("database answers again")
        self.outage = None
        self._note_desired(desired)
        if desired.active_count > 1:
            async with self._database.read(Use.OWN) as session:
                self.problem = await desired_state.describe_several_active(session)
        elif desired.active_model_id is None:
            await self._follow_empty(desired.generation)
        else:
            self._empty_since = None
            await self._follow(await self._reconcile(desired), desired.active_model_id)
        await self._report()

    async def _reconcile(self, desired: DesiredStatePoll) -> DesiredStatePoll:
        """Count a new generation for a switch that somebody made by hand in the database."""
        if desired.drifted:
            async with self._database.write(Use.OWN) as session:
                await desired_state.reconcile(session)
                desired = await desired_state.poll(session)
            self._note_desired(desired)
        return desired

    async def _follow_empty(self, generation: int) -> None:
        self.problem = None
        now = time.monotonic()
        if self._empty_since is None:
            self._empty_since = now
        if now - self._empty_since < EMPTY_GRACE_SECONDS:
            return
        async with self._database.write(Use.OWN) as session:
            present = await desired_state.reconcile(session)
        if present is not None:  # a row was activated after the poll: the next poll loads it, if it is not live already
            self._empty_since = None
            return
        if self._live.clear(generation):
            log.warning("no model is active any more", remedy="Activate one: understudy activate MODEL_ID")

    async def _follow(self, desired: DesiredStatePoll, model_id: int) -> None:
        live = self._live.current
        if live is not None and (live.generation, live.model.identity.model_id) == (desired.generation, model_id):
            self.problem = None
            await self._rename(live, model_id)
            return
        if self._failed == desired and time.monotonic() < self._retry_at:
            return
        began = time.monotonic()
        try:
            async with self._reports_loading(desired):
                loaded = await self._preparation.prepare_desired(model_id, desired.variant)
        except DatabaseUnavailable:
            raise
        except UnderstudyError as error:
            await self._note_failure(desired, model_id, error)
            return
        except Exception as error:  # retried with the same back-off as a refusal
            log.exception("loading failed", model_id=model_id)
            await self._note_failure(desired, model_id, _wrap_unforeseen(error))
            return
        self.problem = self._failed = None
        live = LiveModel(loaded, desired.generation, datetime.now(UTC), load_seconds=time.monotonic() - began)
        if self._live.swap(live):
            log_live(live, "convergence")

    async def _rename(self, seen: LiveModel, model_id: int) -> None:
        async with self._database.read(Use.OWN) as session:
            row = await rows.find(session, model_id)
            if row is not None:  # else it was replaced and deleted after the poll: the next poll follows that
                self._live.rename(model_id, row.model.model_name, row.model.version, seen=seen)

    async def _note_failure(self, desired: DesiredStatePoll, model_id: int, error: UnderstudyError) -> None:
        self._counters.activation_refusals[error.code] += 1
        again = self._failed == desired
        self._retry_seconds = min(self._retry_seconds * 2, LONGEST_RETRY_SECONDS) if again else FIRST_RETRY_SECONDS
        pause = self._retry_seconds * random.uniform(0.5, 1.0)  # noqa: S311  # replicas must not all retry at once
        self._retry_at = time.monotonic() + pause
        self._failed, self.problem = desired, error
        if not again:
            source = Source.STARTUP if desired.generation == self._first_generation else Source.FOLLOW_UP
            async with self._database.write(Use.OWN) as session:
                await model_history.record_refusal(session, model_id, error, actor=source)
        live = self._live.current
        log.error(
            "desired model not loaded",
            model_id=model_id,
            code=error.code,
            detail=error.detail,
            remedy=error.remedy,
            still_live=live.model.identity.model_name if live else None,
            retry_seconds=round(pause, 2),
        )

    @asynccontextmanager
    async def _reports_loading(self, desired: DesiredStatePoll) -> AsyncIterator[None]:
        """Report this process while the block loads the desired model, where that lasts.

        A process that reports nothing for half a minute counts as gone, and a compilation may take longer.
        """
        task = asyncio.create_task(self._report_loading(desired))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])  # how it ends decides nothing

    async def _report_loading(self, desired: DesiredStatePoll) -> None:
        await asyncio.sleep(VISIBLE_SECONDS)
        while True:
            try:
                await self._report(desired)
            except Exception:  # only the report is lost
                log.exception("this server could not be reported")
            await asyncio.sleep(REPORT_SECONDS / 2)

    async def _report(self, loading: DesiredStatePoll | None = None) -> None:
        """Store what this process serves, where that changed or the last report is old; `loading` is being loaded.

        While a model is loaded again that failed before, the error of the last attempt is reported.
        """
        live = self._live.current
        problem = self.problem.problem() if self.problem and loading in (None, self._failed) else None
        state = "failed" if problem else "loading" if loading else "live" if live else "empty"
        report = ReplicaReport(
            self.replica,
            live.model.identity.model_id if live else None,
            live.model.identity.digest if live else None,
            live.generation if live else None,
            state,
            problem,
            seen_at=datetime.now(UTC),
            desired_generation=self.desired.generation if self.desired else None,
            load_seconds=live.load_seconds if live else None,
            lag_seconds=self._measure_lag(live) if live else None,
        )
        now, content = time.monotonic(), replace(report, seen_at=_NO_TIME)
        if content != self._reported or now - self._reported_at >= REPORT_SECONDS:
            self._reported, self._reported_at = content, now
            await self._store_report(report)

    def _measure_lag(self, live: LiveModel) -> float | None:
        """Return the seconds from the commit until the model was live here; None where this process started later."""
        desired = self.desired
        if (
            desired is not None
            and desired.changed_at is not None
            and self._first_generation != desired.generation == live.generation
        ):
            self._lag = live.generation, max(0.0, (to_naive_utc(live.since) - desired.changed_at).total_seconds())
        return self._lag[1] if self._lag is not None and self._lag[0] == live.generation else None

    async def _store_report(self, report: ReplicaReport) -> None:
        """Store the report, and try again at the next one after a failure.

        A database that is read only or locked can still say what should be live.
        """
        try:
            async with self._database.write(Use.OWN) as session:
                await replicas.save(session, report)
                await replicas.delete_unseen(session, since=report.seen_at - FORGET_AFTER)
        except DatabaseUnavailable as error:
            if not self._report_failed:
                log.error("this server could not be reported", detail=error.detail, remedy=error.remedy)
            self._report_failed = True
        else:
            self._report_failed = False


def _wrap_unforeseen(error: Exception) -> UnderstudyError:
    return UnderstudyError(f"Following the database failed: {error}")
