"""Builds the use-cases of one process and connects them; the API and the command line both start here."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from understudy.access.access import Access
from understudy.compiler.compiled_store import CompiledStore, ScratchStore
from understudy.compiler.compiler import Compiler
from understudy.compiler.refusal_store import RefusalStore
from understudy.engine.engine import Engine
from understudy.registry import schema
from understudy.registry.database.database import Database
from understudy.registry.files.example_clips import ExampleClips
from understudy.registry.files.uploads import Uploads
from understudy.registry.registry import Registry
from understudy.schemas.access.actor import Source
from understudy.serving.activation.activation import Activation
from understudy.serving.activation.broken_model_guard import BrokenModelGuard
from understudy.serving.activation.held_activations import HeldActivations
from understudy.serving.activation.operations import Operations
from understudy.serving.activation.preparation import Preparation
from understudy.serving.activation.rollouts import Rollouts
from understudy.serving.activation.signatures import ModelSignatures
from understudy.serving.compilation.compilation import Compilation
from understudy.serving.compilation.compile_queue import CompileQueue
from understudy.serving.compilation.file_sharing import FileSharing
from understudy.serving.compilation.model_changes import ModelChanges
from understudy.serving.examples.example_changes import ExampleChanges
from understudy.serving.examples.prover import Prover
from understudy.serving.housekeeping import Housekeeping
from understudy.serving.policies.approvals import Approvals
from understudy.serving.policies.confirmation_guard import ConfirmationGuard
from understudy.serving.policies.policy_settings import PolicySettings
from understudy.serving.prediction.backbone_holder import BackboneHolder
from understudy.serving.prediction.batch_predictor import BatchPredictor
from understudy.serving.prediction.model_resolver import ModelResolver
from understudy.serving.prediction.predictor import Predictor
from understudy.serving.prediction.streaming import Streaming
from understudy.serving.prediction.tensor_inference import TensorInference
from understudy.serving.supervision import Supervisor
from understudy.serving.sync.event_stream import Events
from understudy.serving.sync.live_model import LiveModelReference
from understudy.serving.sync.poll_loop import PollLoop
from understudy.serving.sync.reconciler import Reconciler
from understudy.serving.telemetry.counters import Counters
from understudy.serving.telemetry.prediction_log import PredictionLog
from understudy.serving.telemetry.prometheus import PrometheusExporter
from understudy.serving.telemetry.recent_statistics import RecentStatistics
from understudy.serving.telemetry.replica_reports import ReplicaReports
from understudy.serving.telemetry.server_status import StatusReporter
from understudy.serving.telemetry.traces import Traces
from understudy.settings import Settings

if TYPE_CHECKING:  # only Linux has worker processes
    from understudy.engine.workers.fork_process import ForkProcess


@dataclass(frozen=True)
class Services:
    """The use-cases of one process."""

    settings: Settings
    database: Database
    access: Access
    engine: Engine
    registry: Registry
    uploads: Uploads
    live: LiveModelReference
    reconciler: Reconciler
    poll_loop: PollLoop
    status_reporter: StatusReporter
    supervisor: Supervisor
    replica_reports: ReplicaReports
    events: Events
    activation: Activation
    operations: Operations
    policies: PolicySettings
    signatures: ModelSignatures
    approvals: Approvals
    confirmation_guard: ConfirmationGuard
    compilation: Compilation
    file_sharing: FileSharing
    broken_model_guard: BrokenModelGuard
    compile_queue: CompileQueue
    housekeeping: Housekeeping
    model_changes: ModelChanges
    prover: Prover
    examples: ExampleChanges
    predictor: Predictor
    batch: BatchPredictor
    streaming: Streaming
    model_resolver: ModelResolver
    tensors: TensorInference
    counters: Counters
    recent_statistics: RecentStatistics
    traces: Traces
    prediction_log: PredictionLog
    prometheus: PrometheusExporter


@contextmanager
def _open_compiler(settings: Settings, *, read_only: bool) -> Iterator[Compiler]:
    """Provide the compiler of this home; with `read_only`, one that keeps what it compiles in a temporary folder."""
    if not read_only:
        yield Compiler(settings)
        return
    with TemporaryDirectory(prefix="understudy-", ignore_cleanup_errors=True) as folder:
        scratch = settings.model_copy(update={"home": Path(folder)})
        store = ScratchStore(scratch.compiled_dir, CompiledStore(settings.compiled_dir))
        yield Compiler(scratch, store, RefusalStore(settings, read_only=True))


async def _start_engine(
    settings: Settings, workers: int, counters: Counters, fork_process: "ForkProcess | None"
) -> Engine:
    """Return the engine; a server with worker processes never loads what decodes and computes."""
    if workers == 0:
        from understudy.engine.local_engine import ClipLimits, LocalEngine
        from understudy.inference.runtime.blas_threads import pin_blas

        pin_blas()
        limits = ClipLimits(settings.max_audio_seconds, settings.max_whole_clip_seconds)
        return LocalEngine(limits, settings.inference_threads, on_run=counters.batches.observe)
    from understudy.engine.workers.worker_engine import WorkerEngine  # loads what only Linux has
    from understudy.engine.workers.worker_team import TeamSettings

    team = TeamSettings(
        workers=workers,
        memory_bytes=settings.worker_memory_bytes,
        step_seconds=settings.step_seconds,
        queue_seconds=settings.queue_seconds,
        max_audio_seconds=settings.max_audio_seconds,
        max_whole_clip_seconds=settings.max_whole_clip_seconds,
        compiled_folder=settings.compiled_dir,
        backbone_folder=settings.backbones_dir,
        backbone=settings.backbone_path if settings.backbone_path.is_file() else None,
        log_format=settings.log_format,
        log_level=settings.log_level,
    )
    return await WorkerEngine.start(team, on_run=counters.batches.observe, ahead=fork_process)


@asynccontextmanager
async def open_services(
    settings: Settings,
    actor: str = Source.FOLLOW_UP,
    *,
    read_only: bool = False,
    workers: bool = False,
    fork_process: "ForkProcess | None" = None,
) -> AsyncIterator[Services]:
    """Migrate the database, build the use-cases and yield them; close them in reverse order.

    No model is loaded yet: `run_background_tasks` does that. `actor` is recorded in the history of what this process
    compiles. With `read_only` no row, table, folder or file is written: the database must be migrated already, and a
    model that has to be compiled is compiled in a temporary folder. With `workers` models run in worker processes, as
    many as the settings say; else in this process. `fork_process` is the process that forks them, started already.

    Raises DatabaseUnavailable, Misconfigured, TableRefused and SeveralActive; with `read_only` DatabaseNotReady, and
    DatabaseMissing for a home without a database.
    """
    traces = Traces.export() if settings.traces and workers else Traces()
    database = Database(settings, read_only=read_only)
    counters = Counters()
    count = settings.workers if workers and not read_only else 0
    engine = await _start_engine(settings, count, counters, fork_process)
    try:
        with _open_compiler(settings, read_only=read_only) as compiler:
            await (database.require_tables() if read_only else schema.migrate(database))
            services = _build_services(
                settings, database, engine, counters, compiler, traces, actor, read_only=read_only
            )
            yield services
            await services.operations.close()
            await services.model_resolver.close()
    finally:
        await engine.close()
        await database.dispose()
        await asyncio.to_thread(traces.close)


@asynccontextmanager
async def open_access(settings: Settings) -> AsyncIterator[Access]:
    """Migrate the database and yield the use-cases of access alone. Raises what `open_services` raises."""
    database = Database(settings)
    try:
        await schema.migrate(database)
        yield Access(settings, database)
    finally:
        await database.dispose()


def _build_services(
    settings: Settings,
    database: Database,
    engine: Engine,
    counters: Counters,
    compiler: Compiler,
    traces: Traces,
    actor: str,
    *,
    read_only: bool,
) -> Services:
    registry = Registry(settings, database)
    recent_statistics = RecentStatistics(counters)
    prediction_log = PredictionLog(settings, database, counters)
    live = LiveModelReference(on_swap=recent_statistics.record_swap)
    sharing = FileSharing(settings, database, registry, compiler.store, read_only=read_only)
    compilation = Compilation(registry, compiler, sharing, counters, actor)
    backbones = BackboneHolder(settings)
    prover = Prover(database, backbones, engine, ExampleClips(settings))
    compile_queue = CompileQueue(registry, compilation, prover)
    signatures = ModelSignatures(database, registry, sharing)
    preparation = Preparation(settings, registry, compilation, sharing, backbones, prover, signatures, engine, counters)
    activation = Activation(database, registry, preparation, live, counters)
    supervisor = Supervisor(counters)
    reconciler = Reconciler(settings, database, preparation, live, counters)
    poll_loop = PollLoop(settings, reconciler)
    replica_reports = ReplicaReports(database)
    held = HeldActivations(database, registry)
    rollouts = Rollouts(database, replica_reports, activation, poll_loop.wake)
    operations = Operations(database, registry, held, activation, rollouts, traces)
    predictor = Predictor(
        engine, live, reconciler, preparation, recent_statistics, traces, strict=settings.strict_audio
    )
    model_resolver = ModelResolver(settings, database, registry, live, compilation, preparation)
    return Services(
        settings=settings,
        database=database,
        access=Access(settings, database),
        engine=engine,
        registry=registry,
        uploads=Uploads(settings),
        live=live,
        reconciler=reconciler,
        poll_loop=poll_loop,
        status_reporter=StatusReporter(
            settings,
            database,
            live,
            reconciler,
            backbones,
            engine,
            supervisor,
            prediction_log,
            counters,
            replica_reports,
        ),
        supervisor=supervisor,
        replica_reports=replica_reports,
        events=Events(database, reconciler.reporter),
        activation=activation,
        operations=operations,
        policies=PolicySettings(database, registry, signatures),
        signatures=signatures,
        approvals=Approvals(database, held, activation, operations),
        confirmation_guard=ConfirmationGuard(database, reconciler, operations, poll_loop.wake),
        compilation=compilation,
        file_sharing=sharing,
        broken_model_guard=BrokenModelGuard(settings, database, live, engine, operations),
        compile_queue=compile_queue,
        housekeeping=Housekeeping(settings, database, registry, compile_queue, ExampleClips(settings)),
        model_changes=ModelChanges(registry, compilation, compile_queue, live),
        prover=prover,
        examples=ExampleChanges(settings, database, registry, compilation, compile_queue),
        predictor=predictor,
        batch=BatchPredictor(settings, predictor),
        streaming=Streaming(predictor, engine),
        model_resolver=model_resolver,
        tensors=TensorInference(model_resolver, engine, recent_statistics),
        counters=counters,
        recent_statistics=recent_statistics,
        traces=traces,
        prediction_log=prediction_log,
        prometheus=PrometheusExporter(counters, live, reconciler, supervisor, lambda: engine.waiting),
    )


@asynccontextmanager
async def run_background_tasks(services: Services) -> AsyncIterator[None]:
    """Follow the database and compile what is queued while the block runs; tasks that fail are started again.

    Raises UnsafeBinding where other machines reach the server and nobody is an admin. The block starts after the first
    poll, or after five seconds where loading takes longer. The process then answers
    `/health/live` at once, and `/health/ready` with 200 as soon as the model is loaded.
    """
    await services.access.start()
    first = asyncio.create_task(services.reconciler.poll_once())
    await asyncio.wait([first], timeout=5.0)

    async def follow() -> None:
        await asyncio.wait([first])
        await services.poll_loop.run(services.events.tick)

    background: Sequence[tuple[str, Callable[[], Awaitable[None]], bool]] = (
        ("follower", follow, True),
        ("change_listener", services.poll_loop.listen, False),
        ("broken_model_guard", services.broken_model_guard.watch, False),
        ("confirmation_guard", services.confirmation_guard.watch, False),
        ("compile_queue", services.compile_queue.work, False),
        ("recent_statistics", services.recent_statistics.watch, False),
        ("access", services.access.watch, True),
    )
    if services.prediction_log.is_enabled:
        background = (*background, ("prediction_log", services.prediction_log.watch, False))
    if services.file_sharing.is_enabled:
        background = (
            *background,
            ("file_sharing", services.file_sharing.watch, False),
            ("signature_sharing", services.signatures.watch, False),
        )
    tasks = [
        asyncio.create_task(services.supervisor.keep_running(name, work, essential=essential))
        for name, work, essential in background
    ]
    tasks.append(asyncio.create_task(services.supervisor.run_once("housekeeping", services.housekeeping.run)))
    try:
        yield
    finally:
        services.events.close()
        for task in (first, *tasks):
            task.cancel()
        for task in (first, *tasks):
            with suppress(asyncio.CancelledError):
                await task
        await services.prediction_log.write()
        await services.reconciler.reporter.leave()
