"""One process's rooms, wired up: the API and the CLI both start here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from understudy.compiler.compile import Compiler
from understudy.inference.threads import pin_blas
from understudy.registry.database import Database
from understudy.registry.registry import Registry
from understudy.registry.uploads import Uploads
from understudy.serving.activation import Activation
from understudy.serving.backbones import BackboneHolder
from understudy.serving.backlog import Backlog
from understudy.serving.batch import BatchPredictor
from understudy.serving.batcher import Batcher
from understudy.serving.compilation import Compilation
from understudy.serving.condition import Condition
from understudy.serving.convergence import Convergence
from understudy.serving.events import Events
from understudy.serving.exposition import Exposition
from understudy.serving.live import Stage
from understudy.serving.metrics import Metrics
from understudy.serving.named import NamedModels
from understudy.serving.operations import Operations
from understudy.serving.pool import WorkerPool
from understudy.serving.prediction import Predictor
from understudy.serving.preparation import Preparation
from understudy.serving.scheduler import Scheduler
from understudy.serving.streaming import Streaming
from understudy.serving.tensors import TensorInference
from understudy.serving.traffic import Traffic
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
