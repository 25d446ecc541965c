"""Runs models in worker processes, which are replaced when they die."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import BinaryIO, Self
from weakref import WeakValueDictionary, finalize

import structlog
from pydantic import ValidationError

from understudy.engine.engine import BackboneFile, EngineModel, Outputs, Priority, ScoredClip
from understudy.engine.scheduling.work_queue import ignore_run
from understudy.engine.wire.analysis_codec import build_scored_clip
from understudy.engine.wire.channel import Frame, ProtocolError
from understudy.engine.wire.content import Content, is_in_memory, pack, pack_file, unpack
from understudy.engine.wire.messages import (
    ClipScored,
    Infer,
    Inferred,
    Load,
    ScoreClip,
    ToWorker,
    Unload,
)
from understudy.engine.wire.tensor_codec import decode, encode
from understudy.engine.workers.backbone_store import KeptBackbones
from understudy.engine.workers.backlog import Backlog
from understudy.engine.workers.dispatcher import Dispatcher
from understudy.engine.workers.fork_process import ForkProcess
from understudy.engine.workers.remote_model import RemoteModel
from understudy.engine.workers.remote_stream import RemoteStream
from understudy.engine.workers.reported_windows import ReportedWindows
from understudy.engine.workers.tensor_groups import Sharing, TensorGroups
from understudy.engine.workers.worker import Worker, WorkerGone
from understudy.engine.workers.worker_team import TeamSettings, WorkerTeam
from understudy.errors import NotForAudio, Unavailable, UnderstudyError, WarmUpFailed, WorkerDied
from understudy.files.regular_file import read_regular
from understudy.files.thread_opening import open_on_thread
from understudy.inference.clip_input.batch_size import MAX_BATCH
from understudy.inference.pipeline.verdict import Verdict
from understudy.inference.pipeline.window_reporter import OnWindows
from understudy.inference.runtime.session import Tensors
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.inference.stream import StreamStart
from understudy.schemas.server.workers import WorkerStatus

log = structlog.get_logger()

_MAX_ANSWER_BYTES = 1 << 30
_LOAD_SECONDS = 120.0
# Seconds that a step may take for each second of sound in it, beside the limit of a setting.
_SECONDS_OF_SOUND = 0.25


class WorkerEngine:
    """Implements `Engine`. The model of a request was chosen when it arrived; `Dispatcher` chooses the worker."""

    def __init__(
        self, settings: TeamSettings, *, on_run: Callable[[int], None] = ignore_run, ahead: ForkProcess | None = None
    ) -> None:
        """`on_run` is called on the event loop with the number of rows of each run of a graph.

        `ahead` is a process of the fork server that was started already.
        """
        self._settings = settings
        self._on_run = on_run
        self._numbers = count(1)
        self._models: WeakValueDictionary[int, RemoteModel] = WeakValueDictionary()
        self._backlog = Backlog(settings.workers, settings.queue_seconds)
        self._team = WorkerTeam(settings, self._load_all, ahead=ahead)
        self._kept = KeptBackbones(settings.backbone_folder)
        self._dispatcher = Dispatcher(self._team, self._numbers)
        self._groups = TensorGroups(self._infer)
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def start(
        cls, settings: TeamSettings, *, on_run: Callable[[int], None] = ignore_run, ahead: ForkProcess | None = None
    ) -> Self:
        """Return an engine whose workers are starting; the first request waits for one. Raises OSError."""
        engine = cls(settings, on_run=on_run, ahead=ahead)
        engine._team.start()
        return engine

    @property
    def waiting(self) -> int:
        return self._team.waiting

    async def load(self, compiled_folder: Path, backbone: BackboneFile | None) -> RemoteModel:
        report = await asyncio.to_thread(_read_report, compiled_folder)
        if backbone is not None:
            backbone = await asyncio.to_thread(self._kept.keep, backbone)
        model = RemoteModel(next(self._numbers), compiled_folder, report, backbone, self._find_step_seconds(report))
        self._models[model.number] = model
        finalize(model, self._unload, model.number).atexit = False
        for _ in range(2):
            workers = await self._team.wait_for_workers()
            loads = await asyncio.gather(*(self._load(worker, model) for worker in workers), return_exceptions=True)
            for result in loads:
                if isinstance(result, BaseException) and not isinstance(result, WorkerGone):
                    raise result
            if None in loads:  # the workers that died load it when they are replaced
                return model
        raise WarmUpFailed(
            f"Every worker process that loaded the model ended: {loads[0]}.",
            remedy="See the server's log. The model may need more memory than UNDERSTUDY_WORKER_MEMORY_BYTES.",
        )

    async def score_clip(
        self,
        model: EngineModel,
        source: BinaryIO,
        priority: Priority = Priority.PREDICTION,
        *,
        on_windows: OnWindows | None = None,
    ) -> ScoredClip:
        remote = _get_remote(model)
        if remote.verdict is None:
            raise NotForAudio("The model takes tensors, and its spec does not say how to make one from audio.")
        queued = time.perf_counter()
        content = pack_file(source) if is_in_memory(source) else await open_on_thread(partial(pack_file, source))
        spent: float | None = None
        try:
            ticket = self._backlog.admit(content.kind, content.size, refuse=priority is Priority.PREDICTION)
            self._team.clips += 1
            try:
                scored, sent = await self._score(remote, remote.verdict, content, priority, on_windows)
                timing = scored.analysis.timing
                spent = (scored.opening + timing.decode + timing.features + timing.inference) / 1e3
            finally:
                self._team.clips -= 1
                self._backlog.leave(ticket, spent)
        finally:
            content.close()
        return ScoredClip(scored.analysis, scored.queue + (sent - queued) * 1e3, scored.opening)

    async def _score(
        self,
        model: RemoteModel,
        verdict: Verdict,
        content: Content,
        priority: Priority,
        on_windows: OnWindows | None,
    ) -> tuple[ScoredClip, float]:
        def build(request: int, alone: bool) -> ToWorker:
            return ScoreClip(
                request=request,
                model=model.number,
                priority=priority,
                alone=alone,
                in_parts=on_windows is not None,
            )

        take = None if on_windows is None else ReportedWindows(verdict.labels, on_windows).take
        answer, frame, sent = await self._dispatcher.request(model, ClipScored, build, content, priority, take)
        self._count_runs(answer.runs)
        try:
            return build_scored_clip(answer, await self._unpack(frame), verdict), sent
        except (ValueError, ProtocolError) as error:
            raise WorkerDied(f"A worker answered with what is no analysis: {error}") from error

    async def infer(self, model: EngineModel, inputs: Tensors) -> tuple[Outputs, float]:
        return await self._groups.infer(_get_remote(model), inputs)

    async def _infer(self, remote: RemoteModel, inputs: Tensors, sharing: Sharing) -> tuple[Outputs, float]:
        queued = time.perf_counter()
        heads, parts = encode(inputs)
        content = pack(parts)
        try:

            def build(request: int, alone: bool) -> ToWorker:
                return Infer(request=request, model=remote.number, tensors=heads, alone=alone)

            ticket = self._backlog.admit(remote.kind, content.size, refuse=True)
            spent: float | None = None
            try:
                answer, frame, sent = await self._dispatcher.request(
                    remote, Inferred, build, content, Priority.PREDICTION, sharing=sharing
                )
                spent = max(0.0, time.perf_counter() - sent - answer.waited / 1e3)
            finally:
                self._backlog.leave(ticket, spent)
        finally:
            content.close()
        self._count_runs(answer.runs)
        try:
            outputs = decode(answer.tensors, await self._unpack(frame))
        except (ValueError, TypeError, ProtocolError) as error:
            raise WorkerDied(f"A worker answered with what are no tensors: {error}") from error
        remote.join_rows = answer.join_rows
        return outputs, answer.waited + (sent - queued) * 1e3

    async def open_stream(self, model: EngineModel, start: StreamStart) -> RemoteStream:
        return await self._dispatcher.open_stream(_get_remote(model), start)

    def find_problem(self, model: EngineModel | None) -> UnderstudyError | None:
        if not self._team.running:
            return Unavailable("No worker process is running.", remedy="See the server's log.")
        return self._dispatcher.find_problem(model) if isinstance(model, RemoteModel) else None

    def describe_workers(self) -> Sequence[WorkerStatus]:
        return self._team.describe()

    async def close(self) -> None:
        await self._groups.close()
        await self._team.close()
        self._kept.close()

    async def _load(self, worker: Worker, model: RemoteModel) -> None:
        request = next(self._numbers)
        message = Load(
            request=request,
            model=model.number,
            folder=model.folder.absolute(),
            backbone=None if model.backbone is None else model.backbone.path.absolute(),
            backbone_digest=model.backbone_digest,
        )
        _, frame = await worker.request(message, request, Content(), seconds=_LOAD_SECONDS)
        frame.close()
        worker.models.add(model.number)

    async def _load_all(self, worker: Worker) -> None:
        """Load every model into a new worker; one that refuses a model gets no requests for it."""
        refused: set[int] = set()
        while missing := [
            model for number, model in self._models.items() if number not in worker.models and number not in refused
        ]:
            for model in missing:  # others may be added meanwhile
                try:
                    await self._load(worker, model)
                except WorkerGone:
                    raise
                except Exception as error:  # noqa: BLE001  # the other models must be loaded
                    refused.add(model.number)
                    model.refused = str(error)
                    log.error(  # a worker's refusal has no trace here
                        "a new worker cannot load a model", digest=model.report.source_digest, reason=str(error)
                    )
            missing.clear()  # else this frame would keep them in memory

    def _unload(self, number: int) -> None:
        with suppress(RuntimeError):  # the event loop is closed
            self._loop.call_soon_threadsafe(self._tell_unload, number)

    def _tell_unload(self, number: int) -> None:
        for worker in self._team.workers:
            worker.models.discard(number)
            worker.tell(Unload(model=number))

    def _find_step_seconds(self, report: CompileReport) -> float:
        window = report.spec.window_seconds or self._settings.max_whole_clip_seconds
        return self._settings.step_seconds + _SECONDS_OF_SOUND * min(
            MAX_BATCH * window, self._settings.max_whole_clip_seconds
        )

    def _count_runs(self, runs: Sequence[int]) -> None:
        for rows in runs:
            self._on_run(rows)

    async def _unpack(self, frame: Frame) -> bytes:
        if not frame.descriptors:
            return frame.payload
        # The thread closes the frame, also where the caller is cancelled before it begins.
        return await asyncio.shield(asyncio.to_thread(unpack, frame, _MAX_ANSWER_BYTES))


def _read_report(folder: Path) -> CompileReport:
    try:
        return CompileReport.model_validate_json(read_regular(folder / "report.json"))
    except (OSError, ValidationError) as error:
        raise WarmUpFailed(f"The files of {folder.name} cannot be read: {error}") from error


def _get_remote(model: EngineModel) -> RemoteModel:
    """Return the model; raises TypeError for one that another engine has loaded."""
    if not isinstance(model, RemoteModel):
        raise TypeError(f"{model!r} was loaded by another engine")
    return model
