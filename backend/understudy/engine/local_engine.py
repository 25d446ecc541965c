"""Runs models in this process, on worker threads."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from weakref import WeakSet, WeakValueDictionary

from understudy.audio.opening import AudioLimits, open_clip
from understudy.engine.engine import BackboneFile, EngineModel, Outputs, Priority, ScoredClip
from understudy.engine.local_model import LocalModel
from understudy.engine.local_stream import LocalStream
from understudy.engine.scheduling.batcher import Batcher
from understudy.engine.scheduling.scheduler import Scheduler
from understudy.engine.scheduling.step_watch import NoWatch, StepWatch
from understudy.engine.scheduling.work_queue import ignore_run
from understudy.engine.scheduling.worker_pool import WorkerPool
from understudy.errors import BackboneMissing, UnderstudyError
from understudy.inference.clip_input.backbone import Backbone
from understudy.inference.clip_input.backbone_loading import load_backbone
from understudy.inference.pipeline.pipeline import Pipeline, Steps
from understudy.inference.pipeline.window_reporter import OnWindows
from understudy.inference.runtime.session import Tensors
from understudy.schemas.inference.prediction import Window
from understudy.schemas.inference.stream import StreamStart
from understudy.schemas.server.workers import WorkerStatus


@dataclass(frozen=True)
class ClipLimits:
    """Longest recording in seconds, and longest one for a model that takes the whole clip at once."""

    max_audio_seconds: float
    max_whole_clip_seconds: float


class LocalEngine:
    """Implements `Engine` with `threads` worker threads and a loading thread; models share the backbones they need."""

    def __init__(
        self,
        limits: ClipLimits,
        threads: int,
        *,
        on_run: Callable[[int], None] = ignore_run,
        watch: StepWatch | None = None,
    ) -> None:
        """`on_run` is called on the event loop with the number of rows of each run of a graph."""
        self._watch = watch or NoWatch()
        self._limits = limits
        self._audio_limits = AudioLimits(max_seconds=limits.max_audio_seconds)
        self._pool = WorkerPool(threads)
        self._scheduler = Scheduler(self._pool, on_run, self._watch)
        self._batcher = Batcher(self._pool, on_run, self._watch)
        self._backbones: WeakValueDictionary[str, Backbone] = WeakValueDictionary()
        self._models: WeakSet[LocalModel] = WeakSet()
        self._loading = asyncio.Lock()

    @property
    def waiting(self) -> int:
        return self._pool.waiting + self._scheduler.waiting + self._batcher.waiting

    async def load(self, compiled_folder: Path, backbone: BackboneFile | None) -> LocalModel:
        async with self._loading:
            model = await self._pool.load(self._load, compiled_folder, backbone)
        self._models.add(model)
        return model

    async def score_clip(
        self,
        model: EngineModel,
        source: BinaryIO,
        priority: Priority = Priority.PREDICTION,
        *,
        on_windows: OnWindows | None = None,
        request: int = 0,
        alone: bool = False,
    ) -> ScoredClip:
        pipeline = _get_pipeline(model)
        report = None if on_windows is None else _call_on_loop(on_windows)
        steps = _score_stepwise(pipeline, source, self._audio_limits, time.perf_counter(), report)
        ahead = not alone and priority is not Priority.REHEARSAL
        return await self._scheduler.run_clip(
            pipeline, steps, request=request, priority=priority, alone=alone, ahead=ahead
        )

    async def infer(
        self, model: EngineModel, inputs: Tensors, *, request: int = 0, alone: bool = False
    ) -> tuple[Outputs, float]:
        return await self._batcher.infer(_get_pipeline(model).graph, inputs, request=request, alone=alone)

    def find_join_rows(self, model: EngineModel) -> int:
        """Return how many rows of different requests for tensors may share a run, as far as that is known."""
        return self._batcher.find_join_rows(_get_pipeline(model).graph)

    async def open_stream(self, model: EngineModel, start: StreamStart) -> LocalStream:
        return LocalStream(_get_pipeline(model), start, self._pool, self._watch)

    def find_problem(self, model: EngineModel | None) -> UnderstudyError | None:  # noqa: ARG002
        return None

    def describe_workers(self) -> Sequence[WorkerStatus]:
        return ()

    async def close(self) -> None:
        self._pool.close()

    def stop_runs(self) -> None:
        """Make the running runs of all models fail soon, where the runtime can."""
        for model in tuple(self._models):
            model.pipeline.stop_runs()

    def add_backbone(self, backbone: Backbone) -> None:
        """Offer a backbone that is loaded already; the caller keeps it."""
        self._backbones[backbone.digest] = backbone

    def _load(self, compiled_folder: Path, file: BackboneFile | None) -> LocalModel:
        backbone = None if file is None else self._backbones.get(file.digest)
        if file is not None and backbone is None:
            backbone = load_backbone(file.path)
            if backbone.digest != file.digest:
                raise BackboneMissing(
                    f"The backbone at {file.path} was replaced while it was loaded.", remedy="Try again."
                )
            self._backbones[file.digest] = backbone
        pipeline = Pipeline.load(
            compiled_folder, backbone=backbone, max_whole_clip_seconds=self._limits.max_whole_clip_seconds
        )
        pipeline.warm_up()
        return LocalModel(pipeline)


def _get_pipeline(model: EngineModel) -> Pipeline:
    """Return the pipeline of a model; raises TypeError for a model that another engine has loaded."""
    if not isinstance(model, LocalModel):
        raise TypeError(f"{model!r} was loaded by another engine")
    return model.pipeline


def _call_on_loop(on_windows: OnWindows) -> OnWindows:
    """Return a function for worker threads that has `on_windows` called on the running event loop, in order."""
    loop = asyncio.get_running_loop()

    def report(windows: list[Window]) -> None:
        loop.call_soon_threadsafe(on_windows, windows)

    return report


def _score_stepwise(
    pipeline: Pipeline, source: BinaryIO, limits: AudioLimits, queued: float, on_windows: OnWindows | None
) -> Steps[ScoredClip]:
    """Decode and score the recording on a worker thread; the scheduler scores the windows that it yields.

    `queued` is the time, on the clock of `time.perf_counter`, since which the request waits for a worker thread.
    """
    begun = time.perf_counter()
    clip = open_clip(source, limits)
    opening = time.perf_counter() - begun
    analysis = yield from pipeline.analyze_stepwise(clip, on_windows)
    return ScoredClip(analysis, (begun - queued) * 1e3, opening * 1e3)
