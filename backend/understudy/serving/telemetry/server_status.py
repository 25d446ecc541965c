"""What this process is, serves and lacks."""

import time

from understudy import __version__
from understudy.errors import DatabaseUnavailable
from understudy.registry.database.database import Database
from understudy.registry.deployment import replicas
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.server.status import (
    BackboneStatus,
    DatabaseStatus,
    DesiredStatus,
    LiveStatus,
    ReplicaStatus,
    Status,
)
from understudy.serving.prediction.backbone_holder import BackboneHolder
from understudy.serving.sync.live_model import Stage
from understudy.serving.sync.reconciler import Convergence
from understudy.settings import Settings


class Condition:
    """Composes the status and answers the readiness probe."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        stage: Stage,
        convergence: Convergence,
        backbones: BackboneHolder,
    ) -> None:
        self._settings = settings
        self._database = database
        self._stage = stage
        self._convergence = convergence
        self._backbones = backbones
        self._started = time.monotonic()

    def require_ready(self) -> None:
        """Raises ModelNotLoaded with the reason while what is desired is not what is live.

        During a database outage the model in memory counts: it was desired when the database last answered.
        """
        if not self._convergence.in_sync:
            raise self._convergence.not_loaded()

    async def status(self) -> Status:
        live, desired, problem = self._stage.live, self._convergence.desired, self._convergence.problem
        others, database = await self._ask_database()
        backbone = self._backbones.loaded
        path = self._settings.backbone_path
        return Status(
            version=__version__,
            replica=self._convergence.replica,
            uptime_seconds=time.monotonic() - self._started,
            in_sync=self._convergence.in_sync,
            problem=problem.problem() if problem else None,
            live=LiveStatus(
                model=live.model.identity, generation=live.generation, since=live.since, notes=live.model.notes
            )
            if live
            else None,
            desired=DesiredStatus(
                model_id=desired.active_model_id,
                generation=desired.generation,
                precision=Precision.of(desired.form),
            )
            if desired
            else None,
            backbone=BackboneStatus(
                installed=path.exists(), digest=backbone.digest if backbone else None, file=path.name
            ),
            database=database,
            replicas=others,
        )

    async def _ask_database(self) -> tuple[tuple[ReplicaStatus, ...], DatabaseStatus]:
        dialect = self._database.kind
        try:
            async with self._database.read() as session:
                reports = await replicas.all_reports(session)
        except DatabaseUnavailable as error:
            return (), DatabaseStatus(dialect=dialect, reachable=False, problem=error.problem())
        return tuple(map(ReplicaStatus.model_validate, reports)), DatabaseStatus(
            dialect=dialect, reachable=True, problem=None
        )
