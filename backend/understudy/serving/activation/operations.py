"""Runs activations as operations, which a caller waits for or polls."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from understudy.errors import ModelNotFound, Unavailable
from understudy.models import HistoryEvent
from understudy.registry.database.column_values import refuse_nul
from understudy.registry.database.database import Database
from understudy.registry.database.slots import Use
from understudy.registry.deployment import operation_rows
from understudy.registry.models.table import rows
from understudy.registry.registry import Registry
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.server.operation import Operation, OperationState, RollbackTarget, Step
from understudy.schemas.server.problem import Problem
from understudy.schemas.server.rollout import Rollout, RolloutOptions
from understudy.serving.activation.activation import Activation
from understudy.serving.activation.held_activations import Ask, HeldActivations
from understudy.serving.activation.operation_progress import SIGN_OF_LIFE_SECONDS, OperationProgress
from understudy.serving.activation.permit import RETURN, Permit
from understudy.serving.activation.preparation import OnStep
from understudy.serving.activation.rollouts import Rollouts
from understudy.serving.sync.live_model import ActivatedModel, LiveModel
from understudy.serving.telemetry.traces import Traces

_RollOut = Callable[[LiveModel], Awaitable[Rollout]]

_CLOSE_SECONDS = 2.0
LOST_AFTER = timedelta(seconds=6 * SIGN_OF_LIFE_SECONDS)


class Operations:
    """Runs each activation as a task of this process, which goes on when its caller disconnects."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        held: HeldActivations,
        activation: Activation,
        rollouts: Rollouts,
        traces: Traces,
    ) -> None:
        self._traces = traces
        self._rollouts = rollouts
        self._held = held
        self._database = database
        self._registry = registry
        self._activation = activation
        self._running: set[asyncio.Task[Operation]] = set()

    async def activate(
        self,
        model_id: int,
        actor: str,
        *,
        wait: bool,
        precision: Precision = Precision.FLOAT32,
        tensors_only: bool = False,
        reason: str | None = None,
        override_freeze: bool = False,
        rollout: RolloutOptions | None = None,
    ) -> Operation:
        """Start the activation of `model_id`; with `wait`, return when it is done.

        `tensors_only` permits a model that cannot score recordings. `reason` stands in the history. `override_freeze`
        activates in a freeze too, for this reason. With `rollout` the activation is done when every live server serves
        the model, or at the end of that wait.

        Raises ModelNotFound, what `HeldActivations.admit` raises and, with `wait`, every error of the activation, and
        RolloutFailed.
        """
        refuse_nul("reason", reason)
        async with self._database.read(Use.MANAGE) as session:
            await rows.get(session, model_id)
        ask = Ask(
            "activate", model_id, precision, tensors_only, reason, _find_override(reason, override_freeze), rollout
        )
        permit = await self._held.admit(ask, actor)
        return await self.run(
            ask.kind,
            model_id,
            lambda on_step: self._activation.activate(
                model_id, actor, on_step, variant=precision, tensors_only=tensors_only, reason=reason, permit=permit
            ),
            wait=wait,
            rollout=rollout,
            actor=actor,
        )

    async def roll_back(
        self,
        actor: str,
        *,
        wait: bool,
        reason: str | None = None,
        override_freeze: bool = False,
        rollout: RolloutOptions | None = None,
    ) -> Operation:
        """Start the activation of the model that was live before; with `wait`, return when it is done.

        `override_freeze` does it in a freeze too, for `reason`. With `rollout` it is done when every live server serves
        the model, or at the end of that wait. Raises NothingToRollBack, what `HeldActivations.admit` raises and, with
        `wait`, every error of the activation, and RolloutFailed.
        """
        refuse_nul("reason", reason)
        model_id, variant = await self._activation.find_previous()
        override_reason = _find_override(reason, override_freeze)
        ask = Ask("rollback", model_id, variant, True, reason, override_reason, rollout)
        permit = await self._held.admit(ask, actor)
        return await self._go_back(model_id, variant, actor, wait=wait, reason=reason, permit=permit, rollout=rollout)

    async def return_to(
        self, model_id: int, variant: str, actor: str, *, instead_of: int, reason: str | None = None
    ) -> Operation:
        """Return to safety: activate a model that was live before, which no policy holds back, and wait for that.

        Raises Conflict where the generation `instead_of` is no longer the present one, and every error of the
        activation.
        """
        return await self._go_back(
            model_id, variant, actor, wait=True, reason=reason, permit=RETURN, instead_of=instead_of
        )

    async def return_to_previous(self, actor: str, *, instead_of: int) -> Operation:
        """Return to the model that was live before, as `return_to` does. Raises NothingToRollBack too."""
        return await self.return_to(*await self._activation.find_previous(), actor, instead_of=instead_of)

    async def _go_back(
        self,
        model_id: int,
        variant: str,
        actor: str,
        *,
        wait: bool,
        reason: str | None,
        permit: Permit,
        instead_of: int | None = None,
        rollout: RolloutOptions | None = None,
    ) -> Operation:
        return await self.run(
            "rollback",
            model_id,
            lambda on_step: self._activation.activate(
                model_id,
                actor,
                on_step,
                HistoryEvent.ROLLED_BACK,
                variant,
                instead_of=instead_of,
                reason=reason,
                permit=permit,
            ),
            wait=wait,
            rollout=rollout,
            actor=actor,
        )

    async def find_rollback_target(self) -> RollbackTarget:
        """Return the model that a rollback would make live, and in which variant. Raises NothingToRollBack."""
        model_id, variant = await self._activation.find_previous()
        return RollbackTarget(model=await self._registry.get_summary(model_id), variant=variant)

    async def get(self, operation_id: str) -> Operation:
        """Return the operation as its process last stored it, with the row of a model that went live.

        Raises OperationNotFound.

        An operation is returned as failed when its process has stored nothing for a minute: that process is gone.
        """
        async with self._database.read() as session:
            operation = await operation_rows.get(session, operation_id)
        if operation.state is OperationState.RUNNING and datetime.now(UTC) - operation.updated_at > LOST_AFTER:
            lost = Unavailable(
                "The process that ran this activation ended before the activation was done.",
                remedy="Run `understudy status` to see which model is live, and activate the model again if it is not.",
            )
            return operation.model_copy(update={"state": OperationState.FAILED, "error": Problem.from_error(lost)})
        if operation.state is OperationState.SUCCEEDED:
            with suppress(ModelNotFound):  # its record was deleted since
                return operation.model_copy(update={"model": await self._registry.get_summary(operation.model_id)})
        return operation

    async def close(self) -> None:
        """Let running activations end within two seconds, then end them; nobody waits for other servers any more.

        Requests have had their time before. A compilation would go on for minutes; the next server takes it up.
        """
        self._rollouts.stop()
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=_CLOSE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _build_rollout(self, options: RolloutOptions | None, actor: str) -> _RollOut | None:
        return None if options is None else lambda live: self._rollouts.follow(live, options, actor)

    async def run(
        self,
        kind: str,
        model_id: int,
        activate: Callable[[OnStep], Awaitable[ActivatedModel]],
        *,
        wait: bool,
        actor: str,
        rollout: RolloutOptions | None = None,
    ) -> Operation:
        """Run `activate` as an operation; with `wait`, return when it is done. Raises then what it raises."""
        now = datetime.now(UTC)
        started = Operation(
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
        progress = OperationProgress(self._database, started)
        if not wait:
            # The caller may poll the operation through any process as soon as it knows the id.
            await progress.store()

        async def activate_in_span(on_step: OnStep) -> ActivatedModel:
            with self._traces.follow_activation(model_id, kind) as begin_span:

                def begin(step: Step) -> None:
                    begin_span(step)
                    on_step(step)

                return await activate(begin)

        task = asyncio.create_task(progress.follow(activate_in_span, self._build_rollout(rollout, actor)))
        self._running.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.shield(task) if wait else started

    def _forget(self, task: asyncio.Task[Operation]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # stored with the operation; read here so that asyncio does not report it again


def _find_override(reason: str | None, override_freeze: bool) -> str | None:
    """Return the reason for which a freeze is overridden, empty where nobody gave one; None to keep to the freeze."""
    return (reason or "") if override_freeze else None
