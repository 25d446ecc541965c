"""Waits until the servers of a registry serve a generation, and takes the fleet back where too many cannot."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog

from understudy.errors import DatabaseUnavailable, RolloutFailed, UnderstudyError
from understudy.models import HistoryEvent
from understudy.registry.database.database import Database
from understudy.registry.database.slots import Use
from understudy.registry.deployment import rollback
from understudy.schemas.server.problem import Problem
from understudy.schemas.server.rollout import ReplicaBehind, Rollout, RolloutOptions
from understudy.schemas.server.status import ReplicaStatus
from understudy.serving.activation.activation import Activation
from understudy.serving.activation.permit import RETURN
from understudy.serving.sync.live_model import LiveModel
from understudy.serving.telemetry.replica_reports import ReplicaReports

log = structlog.get_logger()

LOOK_SECONDS = 0.1
# The time between two looks is at least so many times that of a look: reading a thousand reports takes long.
_REST = 4
# Names of servers in a log line; the answer names all.
_LOGGED = 10


class Rollouts:
    """Follows a committed activation to the servers on the database, by their reports."""

    def __init__(
        self, database: Database, reports: ReplicaReports, activation: Activation, wake: Callable[[], None]
    ) -> None:
        """`wake` lets this process report at once that it serves another model."""
        self._database = database
        self._reports = reports
        self._activation = activation
        self._wake = wake
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End every wait now: this process stops. No fleet is returned then."""
        self._stopping.set()

    async def follow(self, live: LiveModel, options: RolloutOptions, actor: str) -> Rollout:
        """Wait until every live server serves `live` or a newer generation, and return which do not.

        Raises RolloutFailed, once the fleet was returned to the model before or that was tried, where more than the
        share `fail_fleet` of the live servers report at the end of the wait that they could not load the model.
        """
        self._wake()
        rollout = await self._wait(live.generation, options.timeout_seconds)
        if rollout.complete:
            return rollout
        log.warning(
            "servers behind",
            generation=live.generation,
            count=len(rollout.behind),
            replicas=[each.replica for each in rollout.behind[:_LOGGED]],
        )
        failed = [each for each in rollout.behind if _has_failed(each, live.generation)]
        permitted = 1.0 if options.fail_fleet is None else options.fail_fleet
        if failed and len(failed) / rollout.replicas > permitted and not self._stopping.is_set():
            raise await self._return_fleet(live, failed, rollout.replicas, actor)
        return rollout

    async def _wait(self, generation: int, seconds: float) -> Rollout:
        began = time.monotonic()
        while True:
            looked_at = time.monotonic()
            rollout = await self._look(generation, began)
            now = time.monotonic()
            left = began + seconds - now
            if rollout.complete or left <= 0 or self._stopping.is_set():
                return rollout
            with suppress(TimeoutError):
                async with asyncio.timeout(min(max(LOOK_SECONDS, _REST * (now - looked_at)), left)):
                    await self._stopping.wait()

    async def _look(self, generation: int, began: float) -> Rollout:
        """Read the reports once. An error is part of the answer: the activation is done and must not fail."""
        problem: Problem | None = None
        running = 0
        behind: tuple[ReplicaBehind, ...] = ()
        try:
            progress = await self._reports.read_progress(generation)
        except UnderstudyError as error:
            problem = Problem.from_error(error)
        except Exception as error:
            log.exception("reading the servers' reports failed")
            problem = Problem.from_error(UnderstudyError(f"Reading the servers' reports failed: {error}"))
        else:
            running, read_at = progress.running, progress.read_at
            behind = tuple(
                ReplicaBehind(**dict(each), reported_seconds_ago=max(0.0, (read_at - each.seen_at).total_seconds()))
                for each in progress.behind
            )
        return Rollout(
            generation=generation,
            complete=problem is None and not behind,
            replicas=running,
            behind=behind,
            waited_seconds=time.monotonic() - began,
            problem=problem,
        )

    async def _return_fleet(
        self, live: LiveModel, failed: Sequence[ReplicaBehind], replicas: int, actor: str
    ) -> RolloutFailed:
        model_id, count = live.model.identity.model_id, f"{len(failed)} of {replicas} servers"
        reason = f"{count} could not load model {model_id}, generation {live.generation}."
        outcome = await self._activate_before(live, reason, actor)
        log.error("rollout failed", model_id=model_id, generation=live.generation, detail=reason, outcome=outcome)
        names = ", ".join(f"{each.replica} ({_describe_error(each)})" for each in failed)
        return RolloutFailed(f"{reason[:-1]}: {names}. {outcome}")

    async def _activate_before(self, live: LiveModel, reason: str, actor: str) -> str:
        """Activate the model that was live before; return as a sentence what came of it."""
        try:
            async with self._database.read(Use.MANAGE) as session:
                before = await rollback.find_before(session, live.generation)
            if before is None:
                return "The fleet was not returned: no registered model was live before."
            model_id, variant = before
            if before == (live.model.identity.model_id, live.model.variant):
                return "The fleet was not returned: the same model was live before."
            activated = await self._activation.activate(
                model_id,
                actor,
                event=HistoryEvent.ROLLED_BACK,
                variant=variant,
                instead_of=live.generation,
                reason=reason,
                permit=RETURN,
            )
        except DatabaseUnavailable as error:
            return f"It is unknown whether the fleet was returned: {error.detail}"
        except UnderstudyError as error:
            return f"The fleet was not returned: {error.detail}"
        self._wake()
        return f"The fleet was returned to model {model_id}, generation {activated.live.generation}."


def _has_failed(replica: ReplicaStatus, generation: int) -> bool:
    """Return True where the server reports that it could not load this generation; an older error does not count."""
    return replica.error is not None and (replica.desired_generation or 0) >= generation


def _describe_error(replica: ReplicaStatus) -> str:
    return f"{replica.error.code}: {replica.error.detail.rstrip('.')}" if replica.error else replica.state
