"""Makes a registered model the live model."""

import time
from datetime import UTC, datetime

import structlog

from understudy.errors import (
    Conflict,
    DatabaseUnavailable,
    FileChanged,
    NothingToRollBack,
    UnderstudyError,
)
from understudy.models import HistoryEvent
from understudy.registry.database.database import Database
from understudy.registry.database.slots import Use
from understudy.registry.deployment import desired_state, rollback
from understudy.registry.models import example_rows, file_records
from understudy.registry.models.history import model_history
from understudy.registry.models.table import rows
from understudy.registry.registry import Registry
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.registry.model import ModelOut
from understudy.schemas.server.operation import Step
from understudy.serving.activation.permit import ASKED, Permit, admit, compute_target
from understudy.serving.activation.preparation import Candidate, OnStep, Preparation, ignore_step
from understudy.serving.sync.live_model import ActivatedModel, LiveModel, LiveModelReference, log_live
from understudy.serving.telemetry.counters import Counters

log = structlog.get_logger()


class Activation:
    """Loads a model beside the live one, commits the switch to the database, then swaps the live model reference.

    An activation that fails before the commit changes neither the database's rows, nor files, nor the model in memory;
    the history records why it failed.
    """

    def __init__(
        self,
        database: Database,
        registry: Registry,
        preparation: Preparation,
        live: LiveModelReference,
        counters: Counters,
    ) -> None:
        self._database = database
        self._registry = registry
        self._preparation = preparation
        self._live = live
        self._counters = counters

    async def activate(
        self,
        model_id: int,
        actor: str,
        on_step: OnStep = ignore_step,
        event: HistoryEvent = HistoryEvent.ACTIVATED,
        variant: str = Precision.FLOAT32,
        *,
        tensors_only: bool = False,
        instead_of: int | None = None,
        reason: str | None = None,
        permit: Permit = ASKED,
    ) -> ActivatedModel:
        """Make `model_id` the live model; with `instead_of`, only while that generation is the present one.

        `reason` stands in the history. `permit` says which policies the activation may pass by.

        `variant` is float32, int8 (the latest int8 variant) or the key of an int8 variant. Raises ModelNotFound, every
        error that `Preparation.prepare` raises, and TakesTensors for a model that cannot score recordings, unless
        `tensors_only` permits it. A rollback permits it: the model was live before. Raises Conflict where another model
        went live than that of `instead_of`, and what `permit.admit` raises.
        """
        began = time.monotonic()
        try:
            candidate = await self._preparation.prepare_activation(
                model_id, on_step, variant, tensors_only=tensors_only or event is HistoryEvent.ROLLED_BACK
            )
            load_seconds = time.monotonic() - began
            on_step(Step.COMMIT)
            generation, row = await self._commit(candidate, actor, event, instead_of, reason, permit)
        except UnderstudyError as error:
            await self._record_refusal(model_id, actor, error)
            raise
        # Nothing below fails: the switch is committed. The row may have been renamed while the model was prepared.
        loaded = candidate.loaded.rename(row.model_name, row.version)
        live = LiveModel(loaded, generation, datetime.now(UTC), candidate.warnings, load_seconds)
        self._live.swap(live)
        log_live(live, actor)
        on_step(Step.SWAP)
        return ActivatedModel(live, row)

    async def find_previous(self) -> tuple[int, str]:
        """Return the id and the variant of the model that was live before the present one.

        Raises NothingToRollBack when no other registered model was ever live.
        """
        async with self._database.read(Use.MANAGE) as session:
            found = await rollback.find_previous_active(session)
        if found is None:
            raise NothingToRollBack("No other registered model was ever live.")
        return found

    async def _commit(
        self,
        candidate: Candidate,
        actor: str,
        event: HistoryEvent,
        instead_of: int | None,
        reason: str | None,
        permit: Permit,
    ) -> tuple[int, ModelOut]:
        """Switch the database to the loaded model in one transaction; return the new generation and the model's row.

        The spec that the model was compiled with is recorded with it. The file is compared after the switch, under the
        lock that the switch holds: nobody can change it in between, and an error undoes the switch.
        """
        model_id, digest = candidate.model.model_id, candidate.model.facts.digest
        variant = candidate.loaded.variant
        target = compute_target(candidate.model, candidate.examples_digest, variant)
        async with self._database.write() as session:
            admission = await admit(session, permit, model_id, variant, target, event, candidate.signer)
            generation = await desired_state.switch(
                session,
                model_id,
                actor=actor,
                event=event,
                variant=variant,
                instead_of=instead_of,
                reason=admission.describe(reason),
                deadline=admission.deadline,
            )
            row = await rows.get(session, model_id)
            if row.record is None or row.record.digest != digest:
                raise FileChanged(f"Model {model_id} was given another file while this activation prepared it.")
            if await example_rows.find_digest(session, digest) != candidate.examples_digest:
                raise Conflict(
                    f"The examples of model {model_id} were changed while this activation ran them.",
                    remedy=f"Activate it again: understudy activate {model_id}",
                )
            await file_records.take_over_spec(session, row, candidate.model)
            return generation, await self._registry.describe_verified(session, row)

    async def _record_refusal(self, model_id: int, actor: str, error: UnderstudyError) -> None:
        """Count, log and store why an activation failed. A failure of this is ignored: it would hide `error`.

        After an outage nothing is stored: the activation may have been done, and the client waits for its answer.
        """
        self._counters.activation_refusals[error.code] += 1
        live = self._live.current
        log.warning(
            "activation refused",
            model_id=model_id,
            actor=actor,
            code=error.code,
            detail=error.detail,
            remedy=error.remedy,
            still_live=live.model.identity.model_name if live else None,
        )
        if isinstance(error, DatabaseUnavailable):
            return
        try:
            async with self._database.write() as session:
                await model_history.record_refusal(session, model_id, error, actor=actor)
        except UnderstudyError as failure:  # the caller gets `error`
            log.warning("refusal not recorded", model_id=model_id, reason=failure.detail)
        except Exception:
            log.exception("refusal not recorded", model_id=model_id)
