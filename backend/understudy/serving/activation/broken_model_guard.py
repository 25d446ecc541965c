"""Records a live model that ends its worker processes, and returns to the one before it where that is the policy."""

import asyncio

import structlog

from understudy.engine.engine import Engine
from understudy.errors import DatabaseUnavailable, ModelSetAside, UnderstudyError
from understudy.registry.database.database import Database
from understudy.registry.models.history import model_history
from understudy.schemas.access.actor import Source
from understudy.serving.activation.operations import Operations
from understudy.serving.sync.live_model import LiveModel, LiveModelReference
from understudy.settings import OnBroken, Settings

log = structlog.get_logger()

_LOOK_SECONDS = 0.5


class BrokenModelGuard:
    """Acts once for each time that a model goes live."""

    def __init__(
        self, settings: Settings, database: Database, live: LiveModelReference, engine: Engine, operations: Operations
    ) -> None:
        self._policy = settings.on_broken
        self._database = database
        self._live = live
        self._engine = engine
        self._operations = operations
        self._recorded: int | None = None
        self._returned: int | None = None

    async def watch(self) -> None:
        """Look at the live model until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await self.look()
            except DatabaseUnavailable:  # looked at again
                continue
            except UnderstudyError as error:  # such as: there is no model before
                log.error("no return to another model", detail=error.detail, remedy=error.remedy)
            except Exception:  # the task must not end
                log.exception("looking after the live model failed", remedy="Understudy tries again; report this line.")

    async def look(self) -> None:
        """Record the live model if it is set aside, and roll back if that is the policy.

        Raises DatabaseUnavailable, after which it is tried again, and once what `Operations.return_to_previous` raises.
        """
        live = self._live.current
        problem = None if live is None else self._engine.find_problem(live.model.engine_model)
        if live is None or not isinstance(problem, ModelSetAside):
            return
        if self._recorded != live.generation:
            await self._record(live, problem)
            self._recorded = live.generation
        if self._policy is OnBroken.ROLLBACK and self._returned != live.generation:
            self._returned = live.generation
            try:
                # Somebody may have activated another model meanwhile: that one stays.
                await self._operations.return_to_previous(Source.FOLLOW_UP, instead_of=live.generation)
            except DatabaseUnavailable:
                self._returned = None
                raise

    async def _record(self, live: LiveModel, problem: ModelSetAside) -> None:
        log.error("live model set aside", detail=problem.detail, remedy=problem.remedy, policy=self._policy)
        async with self._database.write() as session:
            await model_history.record_refusal(session, live.model.identity.model_id, problem, actor=Source.FOLLOW_UP)
