"""Activations that a caller waits for or polls."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import structlog

from understudy.errors import DatabaseUnavailable, Unavailable, UnderstudyError
from understudy.models import HistoryEvent
from understudy.registry.database.database import Database
from understudy.registry.deployment import operation_rows
from understudy.registry.models import rows
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.server.operation import Operation, OperationState, Step
from understudy.schemas.server.problem import Problem
from understudy.serving.activation.activation import Activation
from understudy.serving.activation.preparation import OnStep
from understudy.serving.sync.live_model import LiveModel

log = structlog.get_logger()

SIGN_OF_LIFE_SECONDS = 10.0
LOST_AFTER = timedelta(seconds=6 * SIGN_OF_LIFE_SECONDS)
KEPT_FOR = timedelta(days=30)

_PROGRESS = {Step.VERIFY: 0.05, Step.COMPILE: 0.1, Step.WARM_UP: 0.7, Step.COMMIT: 0.9, Step.SWAP: 1.0}


class Operations:
    """Runs activations as tasks of this process; a caller that goes away does not stop one."""

    def __init__(self, database: Database, activation: Activation) -> None:
        self._database = database
        self._activation = activation
        self._running: set[asyncio.Task[Operation]] = set()

    async def activate(
        self, model_id: int, actor: str, *, wait: bool, precision: Precision = Precision.FLOAT32
    ) -> Operation:
        """Raises ModelNotFound; with `wait`, everything that the activation raises too."""
        async with self._database.read() as session:
            await rows.get(session, model_id)
        return await self._run(
            "activate",
            model_id,
            lambda on_step: self._activation.activate(model_id, actor, on_step, form=precision),
            wait,
        )

    async def roll_back(self, actor: str, *, wait: bool) -> Operation:
        """Raises NothingToRollBack; with `wait`, everything that the activation raises too."""
        model_id, form = await self._activation.previous()
        return await self._run(
            "rollback",
            model_id,
            lambda on_step: self._activation.activate(model_id, actor, on_step, HistoryEvent.ROLLED_BACK, form),
            wait,
        )

    async def get(self, operation_id: str) -> Operation:
        """Raises OperationNotFound. An operation whose process gives no sign of life any more shows as failed."""
        async with self._database.read() as session:
            operation = await operation_rows.get(session, operation_id)
        if operation.state is OperationState.RUNNING and datetime.now(UTC) - operation.updated_at > LOST_AFTER:
            lost = Unavailable(
                "The process that ran this activation ended before it was done.",
                remedy="Read which model is live with `understudy status`, and activate again if need be.",
            )
            return operation.model_copy(update={"state": OperationState.FAILED, "error": Problem.from_error(lost)})
        return operation

    async def close(self) -> None:
        """Let what runs end: it commits or it does not."""
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _run(
        self, kind: str, model_id: int, activate: Callable[[OnStep], Awaitable[LiveModel]], wait: bool
    ) -> Operation:
        now = datetime.now(UTC)
        tracked = Operation(
            operation_id=uuid4().hex,
            kind=kind,
            model_id=model_id,
            state=OperationState.RUNNING,
            step=Step.VERIFY,
            progress=0.0,
            generation=None,
            error=None,
            started_at=now,
            updated_at=now,
        )
        async with self._database.write() as session:
            await operation_rows.forget_older(session, than=now - KEPT_FOR)
            await operation_rows.save(session, tracked)
        task = asyncio.create_task(self._track(tracked, activate))
        self._running.add(task)
        task.add_done_callback(self._forget)
        if not wait:
            return tracked
        return await asyncio.shield(task)

    async def _save(self, operation: Operation) -> None:
        async with self._database.write() as session:
            await operation_rows.save(session, operation)

    def _forget(self, task: asyncio.Task[Operation]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # recorded with the operation; read here so that asyncio does not report it again

    async def _track(self, tracked: Operation, activate: Callable[[OnStep], Awaitable[LiveModel]]) -> Operation:
        async def save(**changes: object) -> None:
            """Note it for whoever polls. An outage here decides nothing: the commit is what fails or succeeds."""
            nonlocal tracked
            tracked = tracked.model_copy(update={**changes, "updated_at": datetime.now(UTC)})
            try:
                await self._save(tracked)
            except DatabaseUnavailable as error:
                log.warning("progress not recorded", operation_id=tracked.operation_id, detail=error.detail)

        async def on_step(step: Step) -> None:
            await save(step=step, progress=_PROGRESS[step])

        try:
            async with _signs_of_life(save):
                live = await activate(on_step)
        except UnderstudyError as error:
            await save(state=OperationState.FAILED, error=Problem.from_error(error))
            raise
        except Exception as error:
            log.exception("activation broke off", model_id=tracked.model_id)
            await save(
                state=OperationState.FAILED, error=UnderstudyError(f"The activation broke off: {error}").problem()
            )
            raise
        await save(state=OperationState.SUCCEEDED, progress=1.0, generation=live.generation)
        return tracked


@asynccontextmanager
async def _signs_of_life(save: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Call `save` now and then while the block runs, and never again once it has ended."""

    async def go_on() -> None:
        while True:
            await asyncio.sleep(SIGN_OF_LIFE_SECONDS)
            await save()

    signs = asyncio.create_task(go_on())
    try:
        yield
    finally:
        signs.cancel()
        with suppress(asyncio.CancelledError):
            await signs
