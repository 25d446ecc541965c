"""The messages between the server's process and a worker; each is the head of one frame."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from understudy.engine.wire.tensor_codec import TensorHead
from understudy.schemas.inference.finding import Finding
from understudy.schemas.inference.prediction import AudioFacts, Event
from understudy.schemas.inference.stream import StreamStart
from understudy.schemas.server.problem import Problem


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Load(_Message):
    """Load a compiled model, and warm it up."""

    kind: Literal["load"] = "load"
    request: int
    model: int
    folder: Path
    backbone: Path | None
    backbone_digest: str | None


class Unload(_Message):
    kind: Literal["unload"] = "unload"
    model: int


class ScoreClip(_Message):
    """Score the recording in the payload or in the descriptor."""

    kind: Literal["score_clip"] = "score_clip"
    request: int
    model: int
    priority: int
    alone: bool
    in_parts: bool = Field(default=False, description="Report windows while the others are scored")


class Infer(_Message):
    """Run the graph on the tensors in the payload or in the descriptor."""

    kind: Literal["infer"] = "infer"
    request: int
    model: int
    alone: bool
    tensors: tuple[TensorHead, ...]


class OpenStream(_Message):
    kind: Literal["open_stream"] = "open_stream"
    request: int
    model: int
    stream: int
    start: StreamStart


class PushStream(_Message):
    """Score the samples in the payload or in the descriptor."""

    kind: Literal["push_stream"] = "push_stream"
    request: int
    stream: int


class FinishStream(_Message):
    kind: Literal["finish_stream"] = "finish_stream"
    request: int
    stream: int


class CloseStream(_Message):
    kind: Literal["close_stream"] = "close_stream"
    stream: int


class Cancel(_Message):
    """Drop a request, whose caller went away."""

    kind: Literal["cancel"] = "cancel"
    request: int


class StopRuns(_Message):
    """Make the running step fail, which takes longer than it may."""

    kind: Literal["stop_runs"] = "stop_runs"


ToWorker = Load | Unload | ScoreClip | Infer | OpenStream | PushStream | FinishStream | CloseStream | Cancel | StopRuns


class Loaded(_Message):
    kind: Literal["loaded"] = "loaded"
    request: int
    backbone_digest: str | None


class ClipWindows(_Message):
    """Windows that were scored, as JSON in the payload or in the descriptor; the answer to the request follows."""

    kind: Literal["clip_windows"] = "clip_windows"
    request: int
    first: int = Field(ge=0, description="Place of the first of them among the windows of the recording")


class ClipScored(_Message):
    """An analysis; its arrays are `tensors`, in the payload or in the descriptor. Times are in milliseconds."""

    kind: Literal["clip_scored"] = "clip_scored"
    request: int
    runs: tuple[int, ...] = Field(description="Rows of each run of a graph since the last answer")
    tensors: tuple[TensorHead, ...]
    json_bytes: int = Field(ge=0, description="Length of the JSON of `ClipFacts`, which lies before the arrays")


class ClipFacts(_Message):
    """The part of an analysis that is not an array."""

    audio: AudioFacts
    events: tuple[Event, ...]
    warnings: tuple[str, ...]
    findings: tuple[Finding, ...]
    queue: float
    opening: float
    decode: float
    features: float
    inference: float


class Inferred(_Message):
    kind: Literal["inferred"] = "inferred"
    request: int
    runs: tuple[int, ...]
    waited: float
    tensors: tuple[TensorHead, ...]
    join_rows: int = Field(ge=0, description="Rows of different requests that may share a run, as far as is known")


class StreamOpened(_Message):
    kind: Literal["stream_opened"] = "stream_opened"
    request: int
    window_seconds: float = Field(gt=0)
    hop_seconds: float = Field(gt=0)


class StreamScored(_Message):
    """Windows of a stream, as JSON in the payload or in the descriptor."""

    kind: Literal["stream_scored"] = "stream_scored"
    request: int


class Failed(_Message):
    """The request failed with an error of ours; `problem.code` is one of the codes that a worker may send."""

    kind: Literal["failed"] = "failed"
    request: int
    problem: Problem


FromWorker = Loaded | ClipWindows | ClipScored | Inferred | StreamOpened | StreamScored | Failed

to_worker: TypeAdapter[ToWorker] = TypeAdapter(Annotated[ToWorker, Field(discriminator="kind")])
from_worker: TypeAdapter[FromWorker] = TypeAdapter(Annotated[FromWorker, Field(discriminator="kind")])
