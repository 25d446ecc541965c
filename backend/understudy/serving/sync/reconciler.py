"""Loads the model that the database desires, in every process."""

import math
import random
import time
from datetime import UTC, datetime

import structlog

from understudy.errors import (
    DatabaseUnavailable,
    ModelNotLoaded,
    RegistryOutdated,
    SeveralActive,
    Unavailable,
    UnderstudyError,
)
from understudy.registry.database.database import Database
from understudy.registry.database.slots import Use
from understudy.registry.deployment import desired_state
from understudy.registry.deployment.desired_state import DesiredStatePoll
from understudy.registry.models.history import model_history
from understudy.schemas.access.actor import Source
from understudy.schemas.compiler.quantization import Precision
from understudy.serving.activation.preparation import Preparation
from understudy.serving.sync.live_model import LiveModel, LiveModelReference, log_live
from understudy.serving.sync.replica_reporter import ReplicaReporter, keep_reporting
from understudy.serving.telemetry.counters import Counters
from understudy.settings import Settings

log = structlog.get_logger()

# The documented repair by hand deactivates all models and then activates one: the live model stays in between.
EMPTY_GRACE_SECONDS = 5.0
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0


class Reconciler:
    """Reads the desired state, loads the desired model, retries with back-off and reports what this process serves.

    A load that fails keeps the old model live. `PollLoop` says when to poll.
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
        self.reporter = ReplicaReporter(database)
        self.desired: DesiredStatePoll | None = None
        self.problem: UnderstudyError | None = None
        self.outage: DatabaseUnavailable | None = None
        self._failed: DesiredStatePoll | None = None
        self._retry_at = 0.0
        self._retry_seconds = FIRST_RETRY_SECONDS
        self._empty_since: float | None = None
        self._looked_at: float | None = None
        self._desired_since = 0.0
        self._first_generation: int | None = None

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

    @property
    def retry_at(self) -> float:
        """The monotonic time at which a load that failed is due to be tried again; infinite where none failed."""
        return math.inf if self._failed is None else self._retry_at

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
            await self._follow(await self._reconcile(desired), desired.active_model_id, seen=live)
        await self.report()

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

    async def _follow(self, desired: DesiredStatePoll, model_id: int, *, seen: LiveModel | None) -> None:
        """Load the desired model unless it is live. `seen` was live before the database was read."""
        live = self._live.current
        if live is not None and (live.generation, live.model.identity.model_id) == (desired.generation, model_id):
            self.problem = None
            if seen is live and desired.active_model_id == model_id and desired.active_name is not None:
                self._live.rename(model_id, desired.active_name, desired.active_version, seen=seen)
            return
        if self._failed == desired and time.monotonic() < self._retry_at:
            return
        began = time.monotonic()
        try:
            async with keep_reporting(lambda: self.report(desired)):
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
            log_live(live, Source.FOLLOW_UP)

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
                await model_history.record_failed_load(session, model_id, desired.generation, error, actor=source)
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

    async def report(self, loading: DesiredStatePoll | None = None) -> None:
        """Store what this process serves; `loading` is being loaded.

        While a model is loaded again that failed before, the error of the last attempt is reported.
        """
        problem = self.problem if loading in (None, self._failed) else None
        await self.reporter.report(
            self._live.current, self.desired, problem, since_start=self._serves_since_start, loading=loading is not None
        )

    @property
    def _serves_since_start(self) -> bool:
        """True while the desired state is the one that this process found when it started."""
        return self.desired is not None and self.desired.generation == self._first_generation


def _wrap_unforeseen(error: Exception) -> UnderstudyError:
    return UnderstudyError(f"Following the database failed: {error}")
