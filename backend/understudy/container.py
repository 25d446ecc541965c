"""One process's rooms, wired up: the API and the CLI both start here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from understudy.compiler.compiler import Compiler
from understudy.inference.runtime.blas_threads import pin_blas
from understudy.registry.database.database import Database
from understudy.registry.files.uploads import Uploads
from understudy.registry.models.registry import Registry
from understudy.serving.activation.activation import Activation
from understudy.serving.activation.operations import Operations
from understudy.serving.activation.preparation import Preparation
from understudy.serving.compilation.compilation import Compilation
from understudy.serving.compilation.compile_queue import Backlog
from understudy.serving.prediction.backbone_holder import BackboneHolder
from understudy.serving.prediction.batch_predictor import BatchPredictor
from understudy.serving.prediction.model_resolver import NamedModels
from understudy.serving.prediction.predictor import Predictor
from understudy.serving.prediction.streaming import Streaming
from understudy.serving.prediction.tensor_inference import TensorInference
from understudy.serving.scheduling.batcher import Batcher
from understudy.serving.scheduling.scheduler import Scheduler
from understudy.serving.scheduling.worker_pool import WorkerPool
from understudy.serving.sync.event_stream import Events
from understudy.serving.sync.live_model import Stage
from understudy.serving.sync.reconciler import Convergence
from understudy.serving.telemetry.counters import Metrics
from understudy.serving.telemetry.prometheus import Exposition
from understudy.serving.telemetry.recent_statistics import Traffic
from understudy.serving.telemetry.server_status import Condition
from understudy.settings import Settings


@dataclass(frozen=True)
class Services:
    """The use-cases of one process."""

    settings: Settings
    database: Database
    registry: Registry
    stage: Stage
    compilation: Compilation
    activation: Activation
    operations: Operations
    prediction: Predictor
    convergence: Convergence
    condition: Condition
    backlog: Backlog
    uploads: Uploads
    events: Events
    traffic: Traffic
    metrics: Metrics
    exposition: Exposition
    streaming: Streaming
    batch: BatchPredictor
    named: NamedModels
    tensors: TensorInference


@asynccontextmanager
async def open_services(settings: Settings, actor: str = "server") -> AsyncIterator[Services]:
    """Migrate the database, wire the rooms and close them in reverse; nothing is loaded yet.

    `actor` is who the history names for what this process compiles.

    Raises DatabaseUnavailable and Misconfigured.
    """
    pin_blas()
    database = Database(settings)
    pool = WorkerPool(settings.inference_threads)
    try:
        await database.migrate()
        registry = Registry(settings, database)
        metrics = Metrics()
        traffic = Traffic(metrics)
        stage = Stage(on_swap=traffic.swapped)
        compilation = Compilation(registry, Compiler(settings), metrics, actor)
        backbones = BackboneHolder(settings, pool)
        preparation = Preparation(settings, registry, compilation, backbones, pool, metrics)
        activation = Activation(database, preparation, stage, metrics)
        operations = Operations(database, activation)
        convergence = Convergence(settings, database, preparation, stage, metrics)
        scheduler = Scheduler(pool, metrics)
        prediction = Predictor(settings, stage, convergence, preparation, scheduler, traffic)
        events = Events(database, convergence.replica)
        batcher = Batcher(pool, metrics)
        named = NamedModels(settings, database, registry, stage, compilation, preparation)
        yield Services(
            settings=settings,
            database=database,
            registry=registry,
            stage=stage,
            compilation=compilation,
            activation=activation,
            operations=operations,
            prediction=prediction,
            convergence=convergence,
            condition=Condition(settings, database, stage, convergence, backbones),
            backlog=Backlog(registry, compilation),
            uploads=Uploads(settings),
            events=events,
            traffic=traffic,
            metrics=metrics,
            exposition=Exposition(
                metrics, stage, convergence, lambda: pool.waiting + scheduler.waiting + batcher.waiting
            ),
            streaming=Streaming(prediction, pool),
            batch=BatchPredictor(settings, prediction),
            named=named,
            tensors=TensorInference(named, batcher, traffic),
        )
        await operations.close()
        await named.close()
    finally:
        pool.close()
        await database.dispose()


@asynccontextmanager
async def on_stage(services: Services) -> AsyncIterator[None]:
    """Follow the database and work off the backlog in the background while the block runs.

    Returns control after the first look at the database, or sooner where loading takes long: the process answers
    `/health/live` meanwhile and turns ready when the model is there.
    """
    first = asyncio.create_task(services.convergence.once())
    await asyncio.wait([first], timeout=5.0)

    async def follow() -> None:
        await first
        await services.convergence.follow(services.events.tick)

    tasks = [asyncio.create_task(follow()), asyncio.create_task(services.backlog.work())]
    try:
        yield
    finally:
        services.events.close()
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        await services.convergence.leave()
