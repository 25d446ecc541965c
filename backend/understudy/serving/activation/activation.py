"""The one use-case that puts a model on stage."""

from contextlib import suppress
from datetime import UTC, datetime

import structlog

from understudy.errors import DatabaseUnavailable, FileChanged, NothingToRollBack, UnderstudyError
from understudy.models import HistoryEvent
from understudy.registry.database.database import Database
from understudy.registry.deployment import desired_state, rollback
from understudy.registry.models import model_history, rows
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.server.operation import Step
from understudy.serving.activation.preparation import OnStep, Preparation, ignore_step
from understudy.serving.sync.live_model import LiveModel, LiveModelReference, LoadedModel
from understudy.serving.telemetry.counters import Counters

log = structlog.get_logger()


class Activation:
    """Prepare beside the live model, commit the row, swap the reference.

    Whatever fails before the commit leaves row, file and memory as they were, and is recorded in the history.
    """

    def __init__(
        self, database: Database, preparation: Preparation, live: LiveModelReference, counters: Counters
    ) -> None:
        self._database = database
        self._preparation = preparation
        self._live = live
        self._counters = counters

    async def activate(
        self,
        model_id: int,
        actor: str,
        on_step: OnStep = ignore_step,
        event: HistoryEvent = HistoryEvent.ACTIVATED,
        form: str = Precision.FLOAT32,
    ) -> LiveModel:
        """Make `model_id` the live model in `form`: float32, int8 or the key of a twin.

        Raises ModelNotFound and every refusal of `Preparation.rehearse`.
        """
        try:
            loaded = await self._preparation.rehearse(model_id, on_step, form)
            await on_step(Step.COMMIT)
            generation = await self._commit(loaded, actor, event)
        except UnderstudyError as error:
            self._counters.activation_refusals[error.code] += 1
            log.warning(
                "activation refused",
                model_id=model_id,
                actor=actor,
                code=error.code,
                detail=error.detail,
                remedy=error.remedy,
                still_live=self._live.current.model.identity.model_name if self._live.current else None,
            )
            with suppress(DatabaseUnavailable):  # it must not hide why the activation failed, which is logged
                async with self._database.write() as session:
                    await model_history.record_refusal(session, model_id, error, actor=actor)
            raise
        live = LiveModel(loaded, generation, datetime.now(UTC))
        self._live.swap(live)
        log.info("model live", actor=actor, generation=generation, **loaded.identity.model_dump())
        await on_step(Step.SWAP)
        return live

    async def previous(self) -> tuple[int, str]:
        """The model that was live before the present one, and in which form. Raises NothingToRollBack."""
        async with self._database.read() as session:
            found = await rollback.find_previous_active(session)
        if found is None:
            raise NothingToRollBack("No other registered model was ever live.")
        return found

    async def _commit(self, loaded: LoadedModel, actor: str, event: HistoryEvent) -> int:
        model_id, digest = loaded.identity.model_id, loaded.identity.digest
        async with self._database.write() as session:
            await desired_state.lock(session)
            row = await rows.get(session, model_id)
            if row.record is None or row.record.digest != digest:
                raise FileChanged(f"Model {model_id} was given another file while this one was prepared.")
            return await desired_state.switch(session, model_id, actor=actor, event=event, form=loaded.form)
