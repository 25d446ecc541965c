"""Stores the progress of one activation, so that every process can report it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import structlog

from understudy.errors import DatabaseUnavailable, RolloutFailed, UnderstudyError
from understudy.registry.database.database import Database
from understudy.registry.deployment import operation_rows
from understudy.schemas.server.operation import Operation, OperationState, Step
from understudy.schemas.server.problem import Problem
from understudy.schemas.server.rollout import Rollout
from understudy.serving.activation.preparation import OnStep
from understudy.serving.sync.live_model import ActivatedModel, LiveModel

log = structlog.get_logger()

# A step is stored once it has lasted this long: clients that poll and pages that follow cannot see a shorter one.
VISIBLE_SECONDS = 0.25
SIGN_OF_LIFE_SECONDS = 10.0
_AFTER_OUTAGE_SECONDS = 1.0
KEPT_FOR = timedelta(days=30)

_PROGRESS = {Step.VERIFY: 0.05, Step.COMPILE: 0.1, Step.WARM_UP: 0.7, Step.COMMIT: 0.9, Step.SWAP: 1.0}


class OperationProgress:
    """Holds an operation in memory and stores it where somebody could see the difference.

    The outcome is always stored. A step is stored only when it lasts, so an activation of a warm model stores none.
    """

    def __init__(self, database: Database, operation: Operation) -> None:
        self._database = database
        self._operation = operation
        self._changed = asyncio.Event()

    async def follow(
        self,
        activate: Callable[[OnStep], Awaitable[ActivatedModel]],
        roll_out: Callable[[LiveModel], Awaitable[Rollout]] | None = None,
    ) -> Operation:
        """Run `activate`, store how it ends, and return the operation. Raises what `activate` raises.

        `roll_out` waits for the other servers once the model is live. Raises RolloutFailed.
        """
        try:
            async with self._stores_steps():
                activated = await activate(self._on_step)
        except UnderstudyError as error:
            # The client has waited for a whole deadline already where the database does not answer.
            patience = _AFTER_OUTAGE_SECONDS if isinstance(error, DatabaseUnavailable) else None
            await self._end(patience, state=OperationState.FAILED, error=Problem.from_error(error))
            raise
        except Exception as error:
            log.exception("activation failed", model_id=self._operation.model_id)
            problem = Problem.from_error(UnderstudyError(f"The activation failed: {error}"))
            await self._end(state=OperationState.FAILED, error=problem)
            raise
        live = activated.live
        await self._end(
            state=OperationState.SUCCEEDED,
            generation=live.generation,
            model=activated.row,
            warnings=(*live.warnings, *live.model.notes),
        )
        if roll_out is not None:
            try:
                await self._end(rollout=await roll_out(live))
            except RolloutFailed as error:
                await self._end(state=OperationState.FAILED, error=Problem.from_error(error), model=None)
                raise
        return self._operation

    async def store(self, *, seconds: float | None = None) -> None:
        """Write the operation as it is now within `seconds`, and forget operations of more than 30 days ago.

        Raises DatabaseUnavailable.
        """
        self._operation = self._operation.model_copy(update={"updated_at": datetime.now(UTC)})
        async with self._database.write(seconds=seconds) as session:
            await operation_rows.delete_older(session, than=self._operation.started_at - KEPT_FOR)
            await operation_rows.save(session, self._operation)

    def _on_step(self, step: Step) -> None:
        self._operation = self._operation.model_copy(update={"step": step, "progress": _PROGRESS[step]})
        self._changed.set()

    async def _end(self, patience: float | None = None, **outcome: object) -> None:
        self._operation = self._operation.model_copy(update=outcome)
        await self._try_to_store(patience)

    async def _try_to_store(self, seconds: float | None = None) -> None:
        """Store the operation. A failure is logged only: the activation's own commit decides whether it succeeds."""
        try:
            await self.store(seconds=seconds)
        except UnderstudyError as error:
            log.warning("progress not recorded", operation_id=self._operation.operation_id, detail=error.detail)
        except Exception:
            log.exception("progress not recorded", operation_id=self._operation.operation_id)

    @asynccontextmanager
    async def _stores_steps(self) -> AsyncIterator[None]:
        """Store steps that last, and signs of life, while the block runs; never after it has ended."""
        task = asyncio.create_task(self._store_steps())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])  # how it ends decides nothing

    async def _store_steps(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(SIGN_OF_LIFE_SECONDS):
                    await self._changed.wait()
            await asyncio.sleep(VISIBLE_SECONDS)
            self._changed.clear()
            await self._try_to_store()
