"""Reports the status of this process, of the database and of the other processes."""

import time

from understudy import __version__
from understudy.engine.engine import Engine
from understudy.errors import DatabaseReplaced, DatabaseUnavailable, NoActiveModel
from understudy.registry.database.database import Database
from understudy.registry.database.slots import Use
from understudy.registry.models import file_records
from understudy.registry.models.model_detail import describe_pending, describe_tensors_only
from understudy.registry.models.table import rows
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.server.health import Readiness
from understudy.schemas.server.problem import Problem
from understudy.schemas.server.status import (
    BackboneStatus,
    DatabaseStatus,
    DesiredStatus,
    LiveStatus,
    PredictionLogStatus,
    ReplicaStatus,
    Status,
)
from understudy.serving.prediction.backbone_holder import BackboneHolder
from understudy.serving.supervision import Supervisor
from understudy.serving.sync.live_model import LiveModel, LiveModelReference, LoadedModel
from understudy.serving.sync.reconciler import Reconciler
from understudy.serving.telemetry.counters import Counters
from understudy.serving.telemetry.prediction_log import PredictionLog
from understudy.serving.telemetry.replica_reports import ReplicaReports
from understudy.settings import Settings


class StatusReporter:
    """Builds the status document and answers the readiness probe."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        live: LiveModelReference,
        reconciler: Reconciler,
        backbones: BackboneHolder,
        engine: Engine,
        supervisor: Supervisor,
        prediction_log: PredictionLog,
        counters: Counters,
        replica_reports: ReplicaReports,
    ) -> None:
        self._replica_reports = replica_reports
        self._prediction_log = prediction_log
        self._counters = counters
        self._settings = settings
        self._supervisor = supervisor
        self._database = database
        self._live = live
        self._reconciler = reconciler
        self._backbones = backbones
        self._engine = engine
        self._started = time.monotonic()

    def require_ready(self) -> None:
        """Raises ModelNotLoaded, with the reason, where the desired model could not be made the live model.

        While it is being loaded beside a live model, this process is ready: a switch must not take every server of a
        registry out of service at once.
        Raises Unavailable while no worker process runs, ModelSetAside for a live model that has ended several, and
        BackgroundTaskDown while a task is down without which this process does not follow the database.
        During a database outage the desired model is the one that was desired when the database last answered:
        RegistryOutdated where that is too long ago, DatabaseReplaced where its file is gone.
        """
        if isinstance(self._reconciler.outage, DatabaseReplaced):
            raise self._reconciler.outage
        if not self._reconciler.in_sync and not self._reconciler.following:
            raise self._reconciler.build_not_loaded()
        live = self._live.current
        if (problem := self._engine.find_problem(live.model.engine_model if live else None)) is not None:
            raise problem
        if (down := self._supervisor.find_problem()) is not None:
            raise down

    def check_readiness(self, *, require_model: bool) -> Readiness:
        """Return that this process is ready, and for which model.

        Raises what `require_ready` raises, and NoActiveModel with `require_model` where no model is active.
        """
        self.require_ready()
        live, age = self._live.current, self._reconciler.registry_age_seconds
        down = self._supervisor.list_notes()
        if live is not None:
            notes = (*filter(None, [_note_tensors_only(live.model), self._note_following()]), *down)
            return Readiness(
                model=live.model.identity,
                note=" ".join(notes) or None,
                tensors_only=live.model.tensors_only,
                registry_age_seconds=age,
            )
        if require_model:
            raise NoActiveModel("No model is active.")
        note = "No model is active: predictions are answered with 503 no_active_model until one is activated."
        return Readiness(model=None, note=" ".join((note, *down)), registry_age_seconds=age)

    def _note_following(self) -> str | None:
        desired = self._reconciler.desired
        if desired is None or not self._reconciler.following:
            return None
        if desired.active_model_id is None:
            return "No model is marked active any more; the model named here answers for some seconds longer."
        return f"Model {desired.active_model_id} is being loaded; the model named here answers until then."

    def _describe_log(self) -> PredictionLogStatus | None:
        if not self._prediction_log.is_enabled:
            return None
        return PredictionLogStatus(
            days=self._prediction_log.days,
            waiting=self._prediction_log.waiting,
            written=self._counters.predictions_logged,
            dropped=self._counters.predictions_not_logged,
        )

    async def status(self) -> Status:
        live, desired = self._live.current, self._reconciler.desired
        problem = (
            self._reconciler.problem
            or self._engine.find_problem(live.model.engine_model if live else None)
            or self._supervisor.find_problem()
        )
        others, database, notes = await self._ask_database(live)
        backbone = self._backbones.installed
        path = self._settings.backbone_path
        return Status(
            version=__version__,
            replica=self._reconciler.reporter.replica,
            uptime_seconds=time.monotonic() - self._started,
            in_sync=self._reconciler.in_sync,
            registry_age_seconds=self._reconciler.registry_age_seconds,
            problem=Problem.from_error(problem) if problem else None,
            live=LiveStatus(
                model=live.model.identity,
                generation=live.generation,
                since=live.since,
                notes=(*live.model.notes, *notes),
                tensors_only=live.model.tensors_only,
            )
            if live
            else None,
            desired=DesiredStatus(
                model_id=desired.active_model_id,
                generation=desired.generation,
                precision=Precision.of(desired.variant),
            )
            if desired
            else None,
            backbone=BackboneStatus(
                installed=path.exists(), digest=backbone.digest if backbone else None, file=path.name
            ),
            backbones=tuple(each.to_answer() for each in await self._backbones.list_named()),
            database=database,
            workers=tuple(self._engine.describe_workers()),
            tasks=self._supervisor.list_status(),
            prediction_log=self._describe_log(),
            replicas=others,
        )

    async def _ask_database(
        self, live: LiveModel | None
    ) -> tuple[tuple[ReplicaStatus, ...], DatabaseStatus, tuple[str, ...]]:
        """Return the replicas, the state of the database, and a note where the live model's spec was changed."""
        dialect = self._database.kind
        try:
            async with self._database.read(Use.MANAGE) as session:
                others = (await self._replica_reports.read(session)).replicas
                row = await rows.find(session, live.model.identity.model_id) if live else None
        except DatabaseUnavailable as error:
            return (), DatabaseStatus(dialect=dialect, reachable=False, problem=Problem.from_error(error)), ()
        notes: tuple[str, ...] = ()
        if row is not None and file_records.is_spec_pending(row):
            notes = (describe_pending(row.model.model_id, live=True),)
        reachable = DatabaseStatus(dialect=dialect, reachable=True, problem=None)
        return others, reachable, notes


def _note_tensors_only(model: LoadedModel) -> str | None:
    if not model.tensors_only:
        return None
    return describe_tensors_only(model.identity.model_id, model.engine_model.report, live=True)
