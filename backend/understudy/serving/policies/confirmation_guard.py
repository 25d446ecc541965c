"""Returns to the model before where nobody confirmed the live one in time."""

import asyncio
from collections.abc import Callable

import structlog

from understudy.errors import DatabaseUnavailable, UnderstudyError
from understudy.models import utc_now
from understudy.registry.database.database import Database
from understudy.registry.database.slots import Use
from understudy.registry.deployment import confirmations
from understudy.registry.deployment.confirmations import Running
from understudy.schemas.access.actor import Source
from understudy.serving.activation.operations import Operations
from understudy.serving.sync.reconciler import Reconciler

log = structlog.get_logger()

_LOOK_SECONDS = 0.5


class ConfirmationGuard:
    """Looks at the deadline that the reconciler read; of several servers, one claims the return and does it."""

    def __init__(
        self, database: Database, reconciler: Reconciler, operations: Operations, wake: Callable[[], None]
    ) -> None:
        """`wake` has this process poll the database now."""
        self._database = database
        self._reconciler = reconciler
        self._wake = wake
        self._operations = operations

    async def watch(self) -> None:
        """Look at the deadline until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await self.look()
            except DatabaseUnavailable:  # looked at again
                continue
            except UnderstudyError as error:
                log.error("no return to the model before", detail=error.detail, remedy=error.remedy)
            except Exception:  # the task must not end
                log.exception("looking at the confirmation failed", remedy="Understudy tries again; report this line.")

    async def look(self) -> bool:
        """Return to the model before if the deadline has passed; return whether this server did so.

        Raises DatabaseUnavailable, and every error of the activation, after which a server tries again later.
        """
        desired = self._reconciler.desired
        if desired is None or desired.confirm_by is None or desired.confirm_by > utc_now():
            return False
        running = await self._claim()
        if running is None:
            return False
        deadline = running.deadline
        reason = (
            f"Nobody confirmed model {running.model_id} until {deadline.confirm_by:%Y-%m-%d %H:%M:%S} UTC: the server "
            f"{self._reconciler.reporter.replica} returned to model {deadline.return_model_id}."
        )
        log.warning("not confirmed", model_id=running.model_id, generation=running.generation, detail=reason)
        await self._operations.return_to(
            deadline.return_model_id,
            deadline.return_variant,
            Source.FOLLOW_UP,
            instead_of=running.generation,
            reason=reason,
        )
        self._wake()
        return True

    async def _claim(self) -> Running | None:
        """Return the deadline that passed, once this server may act on it; None where another one does."""
        async with self._database.read(Use.OWN) as session:
            running = await confirmations.read(session)
        if running is None or not running.is_free:
            return None
        async with self._database.write(Use.OWN) as session:
            return running if await confirmations.claim(session, running) else None
