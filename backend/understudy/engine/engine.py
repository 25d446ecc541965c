"""The interface of an engine, whichever process computes."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from numpy.typing import NDArray

from understudy.errors import UnderstudyError
from understudy.inference.pipeline.analysis import Analysis
from understudy.inference.pipeline.window_reporter import OnWindows
from understudy.inference.runtime.session import Tensors
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.compiler.spec import Spec
from understudy.schemas.inference.stream import StreamedWindow, StreamStart
from understudy.schemas.server.workers import WorkerStatus

Outputs = dict[str, NDArray[Any]]


class Priority(IntEnum):
    """Orders work that waits: the lower number begins first."""

    STREAM = 0
    PREDICTION = 1
    BATCH = 2
    REHEARSAL = 3


@dataclass(frozen=True)
class BackboneFile:
    """YAMNet's file or the manifest of an installed backbone, and the SHA-256 that stands for it."""

    path: Path
    digest: str


class EngineModel(Protocol):
    """A model that an engine has loaded and warmed up. The engine frees it when nobody refers to it any more."""

    @property
    def report(self) -> CompileReport: ...

    @property
    def spec(self) -> Spec: ...

    @property
    def backbone_digest(self) -> str | None:
        """SHA-256 of the backbone that runs before the model, or None without one."""
        ...


@dataclass(frozen=True)
class ScoredClip:
    """An analysis, and the milliseconds that the clip waited and that opening it took."""

    analysis: Analysis
    queue: float
    opening: float


class StreamLost(Exception):
    """The worker that kept a stream's state has ended, and the stream did not end it: open another one."""


class EngineStream(Protocol):
    """The state of one stream on one model, from its first sample on."""

    @property
    def window_seconds(self) -> float: ...

    @property
    def hop_seconds(self) -> float: ...

    async def push(self, message: bytes) -> list[StreamedWindow]:
        """Return the windows that the samples of `message`, encoded as the stream's start says, complete.

        Raises AudioUnusable for bytes that are not samples, CannotServe when the model fails, and StreamLost.
        """
        ...

    async def finish(self) -> list[StreamedWindow]:
        """Return the windows that the end of the stream completes; raises CannotServe when the model fails."""
        ...

    def close(self) -> None:
        """Free the state of the stream."""
        ...


class Engine(Protocol):
    """Loads models and runs them. Every method is for the event loop that the engine was opened on."""

    @property
    def waiting(self) -> int:
        """Number of clips and requests for tensors that have not begun."""
        ...

    async def load(self, compiled_folder: Path, backbone: BackboneFile | None) -> EngineModel:
        """Load a compiled model beside the others, and warm it up.

        Raises WarmUpFailed, RuntimeMissing, SpecInvalid and BackboneMissing as `Pipeline.load` does.
        """
        ...

    async def score_clip(
        self,
        model: EngineModel,
        source: BinaryIO,
        priority: Priority = Priority.PREDICTION,
        *,
        on_windows: OnWindows | None = None,
    ) -> ScoredClip:
        """Decode and score `source`, a seekable file, which the caller closes.

        Where that takes long, `on_windows` is called on the event loop with the windows that were scored, in order of
        time and each once, with their best labels; those of the last moment come with the answer only.

        Raises the audio errors, NotForAudio, and CannotServe when the model fails.
        """
        ...

    async def infer(self, model: EngineModel, inputs: Tensors) -> tuple[Outputs, float]:
        """Return the outputs by name, and the milliseconds that the request waited for its run.

        Raises RequestInvalid for inputs that the graph does not take, and CannotServe when the graph fails on them.
        """
        ...

    async def open_stream(self, model: EngineModel, start: StreamStart) -> EngineStream:
        """Return a new stream on `model`; raises NotForAudio for a model that cannot score a stream."""
        ...

    def find_problem(self, model: EngineModel | None) -> UnderstudyError | None:
        """Return why the engine cannot answer on `model`, or at all where it is None; None where it can."""
        ...

    def describe_workers(self) -> Sequence[WorkerStatus]:
        """Return the state of each worker process; none where this process computes."""
        ...

    async def close(self) -> None:
        """Wait for running work, cancel queued work, and end what the engine started."""
        ...
