"""Messages of WS /api/v1/stream."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from understudy.schemas.inference.finding import Finding
from understudy.schemas.inference.prediction import ModelIdentity, Window
from understudy.schemas.inference.sample_encoding import Encoding
from understudy.schemas.server.problem import Problem


class StreamStart(BaseModel):
    """First message of the client; binary messages of whole frames follow.

    A message may have UNDERSTUDY_MAX_STREAM_MESSAGE_BYTES (1 MiB, unless the server is set otherwise). A larger one
    ends the stream: the error `body_too_large`, then the status 1009.
    """

    model_config = ConfigDict(extra="forbid")

    sample_rate: int = Field(ge=4_000, le=384_000, description="Hz")
    encoding: Encoding
    channels: int = Field(default=1, ge=1, le=32)
    heartbeat_seconds: float | None = Field(
        default=None,
        ge=0.5,
        le=60,
        description="Send a `heartbeat` message every so many seconds, so that the client notices a server that "
        "answers no more; none without it",
    )


class StreamEnd(BaseModel):
    """Last message of the client: the server scores what is left and closes."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["end"]


class StreamSpec(BaseModel):
    """The part of the model's spec that a client needs to show scores."""

    window_seconds: float
    hop_seconds: float
    labels: tuple[str, ...]
    thresholds: dict[str, float]


class _ServerMessage(BaseModel):
    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class StreamedWindow(Window):
    """A window of a stream, and what a reader of its scores must know."""

    findings: tuple[Finding, ...] = Field(
        description="Why the window was not scored, the parts of it in which channels cancel each other or silence was "
        "scored for samples that are not numbers, and bytes at the end of the stream that complete no frame"
    )


class StreamReady(_ServerMessage):
    """First message of the server: samples may follow."""

    type: Literal["ready"] = "ready"
    model: ModelIdentity
    generation: int | None = Field(description="Generation under which the model is live; null for a rehearsal")
    spec: StreamSpec
    findings: tuple[Finding, ...] = Field(
        default=(), description="What a reader of this model's scores must know, such as an assumed sample rate"
    )


class StreamWindow(StreamedWindow, _ServerMessage):
    """Scores of one window, in seconds since the stream began.

    A window that could not be scored has null for `label`, `score` and `scores`, and the stream goes on.
    """

    type: Literal["window"] = "window"
    model: ModelIdentity
    generation: int | None


class StreamSwap(_ServerMessage):
    """Windows from `at` seconds on come from another model."""

    type: Literal["swap"] = "swap"
    at: float
    model: ModelIdentity
    generation: int | None
    spec: StreamSpec
    findings: tuple[Finding, ...] = Field(default=(), description="As in `ready`, about the model that answers now")


class StreamHeartbeat(_ServerMessage):
    """The connection works. It comes also while no window is complete, and only where the first message asks for it."""

    type: Literal["heartbeat"] = "heartbeat"
    received: float = Field(description="Seconds of sound that the server has received on this connection")


class StreamFailed(_ServerMessage):
    """Last message before the server closes."""

    type: Literal["error"] = "error"
    problem: Problem


class StreamMessage(RootModel[StreamReady | StreamWindow | StreamSwap | StreamHeartbeat | StreamFailed]):
    """A message of the server."""

    root: Annotated[
        StreamReady | StreamWindow | StreamSwap | StreamHeartbeat | StreamFailed, Field(discriminator="type")
    ]
