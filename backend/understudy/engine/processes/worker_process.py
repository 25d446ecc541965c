"""A worker: answers the messages of the server's process until that closes the channel."""

import asyncio
import socket
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import structlog

from understudy.engine.engine import BackboneFile, Priority, ScoredClip
from understudy.engine.local_engine import ClipLimits, LocalEngine
from understudy.engine.local_model import LocalModel
from understudy.engine.local_stream import LocalStream
from understudy.engine.processes.step_page import StepPage
from understudy.engine.wire.channel import Channel, Frame
from understudy.engine.wire.content import Content, open_content, pack, unpack
from understudy.engine.wire.messages import (
    Cancel,
    ClipFacts,
    ClipScored,
    ClipWindows,
    CloseStream,
    Failed,
    FinishStream,
    FromWorker,
    Infer,
    Inferred,
    Load,
    Loaded,
    OpenStream,
    PushStream,
    ScoreClip,
    StopRuns,
    StreamOpened,
    StreamScored,
    ToWorker,
    Unload,
    to_worker,
)
from understudy.engine.wire.tensor_codec import decode, encode
from understudy.engine.wire.window_codec import encode_clip_windows, encode_windows
from understudy.errors import UnderstudyError
from understudy.inference.clip_input.backbone import Backbone
from understudy.inference.pipeline.analysis import Analysis
from understudy.inference.runtime.memory import release_memory
from understudy.schemas.inference.prediction import Window
from understudy.schemas.server.problem import Problem

log = structlog.get_logger()

_MAX_CONTENT = 1 << 31


async def run_worker(end: socket.socket, page: StepPage, limits: ClipLimits, backbones: Sequence[Backbone]) -> None:
    """Answer messages until the server closes the channel; then the process ends, with whatever still runs."""
    closed = asyncio.Event()
    worker = _Worker(end, page, limits, closed.set)
    for backbone in backbones:
        worker.engine.add_backbone(backbone)
    await closed.wait()


class _Worker:
    def __init__(self, end: socket.socket, page: StepPage, limits: ClipLimits, on_closed: Callable[[], None]) -> None:
        self._runs: list[int] = []
        self.engine = LocalEngine(limits, threads=1, on_run=self._runs.append, watch=page)
        self._models: dict[int, LocalModel] = {}
        self._streams: dict[int, LocalStream] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._channel = Channel(end, self._receive, lambda _: on_closed())

    def _receive(self, frame: Frame) -> None:
        message = to_worker.validate_json(frame.head)
        match message:
            case Unload():
                self._models.pop(message.model, None)
                asyncio.get_running_loop().call_later(0.5, release_memory)
            case CloseStream():
                self._streams.pop(message.stream, None)
            case StopRuns():
                self.engine.stop_runs()
            case Cancel():
                if (task := self._tasks.get(message.request)) is not None:
                    task.cancel()
            case _:
                task = asyncio.create_task(self._answer(message.request, self._handle(message, frame)))
                self._tasks[message.request] = task
                task.add_done_callback(lambda _: self._end_request(message.request, frame))

    def _end_request(self, request: int, frame: Frame) -> None:
        self._tasks.pop(request, None)
        frame.close()  # one that was cancelled before it began has taken nothing over

    async def _answer(self, request: int, work: Coroutine[Any, Any, tuple[FromWorker, Content]]) -> None:
        try:
            answer, content = await work
        except UnderstudyError as error:
            answer, content = Failed(request=request, problem=Problem.from_error(error)), Content()
        except Exception as error:  # the server's process raises it where the answer is awaited
            log.exception("a worker met an unexpected error")
            problem = Problem.from_error(
                UnderstudyError(f"The worker met an unexpected error: {type(error).__name__}.")
            )
            answer, content = Failed(request=request, problem=problem), Content()
        self._channel.send(answer.model_dump_json().encode(), content.payload, content.descriptors)
        content.close()

    async def _handle(self, message: ToWorker, frame: Frame) -> tuple[FromWorker, Content]:
        match message:
            case Load():
                return await self._load(message), Content()
            case ScoreClip():
                return await self._score_clip(message, frame)
            case Infer():
                return await self._infer(message, frame)
            case OpenStream():
                return await self._open_stream(message), Content()
            case PushStream():
                windows = await self._streams[message.stream].push(unpack(frame, _MAX_CONTENT))
                return StreamScored(request=message.request), pack([encode_windows(windows)])
            case FinishStream():
                windows = await self._streams[message.stream].finish()
                return StreamScored(request=message.request), pack([encode_windows(windows)])
        raise ValueError(f"{message.kind} has no answer")

    async def _load(self, message: Load) -> Loaded:
        file = None
        if message.backbone is not None and message.backbone_digest is not None:
            file = BackboneFile(message.backbone, message.backbone_digest)
        model = await self.engine.load(message.folder, file)
        self._models[message.model] = model
        return Loaded(request=message.request, backbone_digest=model.backbone_digest)

    async def _score_clip(self, message: ScoreClip, frame: Frame) -> tuple[ClipScored, Content]:
        with open_content(frame) as source:
            scored = await self.engine.score_clip(
                self._models[message.model],
                source,
                Priority(message.priority),
                on_windows=_WindowSender(self._channel, message.request) if message.in_parts else None,
                request=message.request,
                alone=message.alone,
            )
        arrays = _list_arrays(scored.analysis)
        heads, parts = encode(arrays)
        facts = _describe(scored).model_dump_json().encode()
        runs, self._runs[:] = tuple(self._runs), []
        answer = ClipScored(request=message.request, runs=runs, tensors=heads, json_bytes=len(facts))
        return answer, pack([facts, *parts])

    async def _infer(self, message: Infer, frame: Frame) -> tuple[Inferred, Content]:
        inputs, model = decode(message.tensors, unpack(frame, _MAX_CONTENT)), self._models[message.model]
        outputs, waited = await self.engine.infer(model, inputs, request=message.request, alone=message.alone)
        heads, parts = encode(outputs)
        runs, self._runs[:] = tuple(self._runs), []
        join_rows = self.engine.find_join_rows(model)
        answer = Inferred(request=message.request, runs=runs, waited=waited, tensors=heads, join_rows=join_rows)
        return answer, pack(parts)

    async def _open_stream(self, message: OpenStream) -> StreamOpened:
        stream = await self.engine.open_stream(self._models[message.model], message.start)
        stream.request = message.stream
        self._streams[message.stream] = stream
        return StreamOpened(
            request=message.request, window_seconds=stream.window_seconds, hop_seconds=stream.hop_seconds
        )


class _WindowSender:
    """Sends the windows of a recording that is being scored."""

    def __init__(self, channel: Channel, request: int) -> None:
        self._channel = channel
        self._request = request
        self._sent = 0

    def __call__(self, windows: Sequence[Window]) -> None:
        content = pack([encode_clip_windows(windows)])
        message = ClipWindows(request=self._request, first=self._sent)
        self._sent += len(windows)
        self._channel.send(message.model_dump_json().encode(), content.payload, content.descriptors)
        content.close()


def _list_arrays(analysis: Analysis) -> dict[str, Any]:
    arrays = {
        "totals": analysis.totals,
        "window_scores": analysis.window_scores,
        "starts": analysis.starts,
        "ends": analysis.ends,
    }
    return arrays if analysis.window_labels is None else arrays | {"window_labels": analysis.window_labels}


def _describe(scored: ScoredClip) -> ClipFacts:
    analysis = scored.analysis
    return ClipFacts(
        audio=analysis.audio,
        events=analysis.events,
        warnings=analysis.warnings,
        findings=analysis.findings,
        queue=scored.queue,
        opening=scored.opening,
        decode=analysis.timing.decode,
        features=analysis.timing.features,
        inference=analysis.timing.inference,
    )
