"""Records a live model that ends its worker processes, and returns to the one before it where that is the policy."""

import asyncio

import structlog

from understudy.engine.engine import Engine
from understudy.errors import DatabaseUnavailable, ModelSetAside, UnderstudyError
from understudy.registry.database.database import Database
from understudy.registry.models import model_history
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

    async def watch(self) -> None:
        """Look at the live model until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await self.look()
            except UnderstudyError as error:  # looked at again: the database is away, or there is no model before
                if not isinstance(error, DatabaseUnavailable):
                    log.error("no return to another model", detail=error.detail, remedy=error.remedy)
            except Exception:  # the task must not end
                log.exception("looking after the live model failed", remedy="Understudy tries again; report this line.")

    async def look(self) -> None:
        """Record the live model if it is set aside, and start the roll back if that is the policy.

        Raises DatabaseUnavailable, and NothingToRollBack.
        """
        live = self._live.current
        problem = None if live is None else self._engine.find_problem(live.model.engine_model)
        if live is None or not isinstance(problem, ModelSetAside) or self._recorded == live.generation:
            return
        await self._record(live, problem)
        self._recorded = live.generation
        if self._policy is OnBroken.ROLLBACK:
            await self._operations.roll_back("server", wait=False)

    async def _record(self, live: LiveModel, problem: ModelSetAside) -> None:
        log.error("live model set aside", detail=problem.detail, remedy=problem.remedy, policy=self._policy)
        async with self._database.write() as session:
            await model_history.record_refusal(session, live.model.identity.model_id, problem, actor="server")
