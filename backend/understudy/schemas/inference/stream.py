"""Messages of WS /api/v1/stream."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from understudy.schemas.inference.prediction import ModelIdentity, Window
from understudy.schemas.inference.sample_encoding import Encoding


class StreamStart(BaseModel):
    """First message of the client; binary messages of whole frames follow."""

    model_config = ConfigDict(extra="forbid")

    sample_rate: int = Field(ge=4_000, le=384_000, description="Hz")
    encoding: Encoding
    channels: int = Field(default=1, ge=1, le=32)


class StreamSpec(BaseModel):
    """What the page needs of the model's spec."""

    window_seconds: float
    hop_seconds: float
    labels: tuple[str, ...]
    thresholds: dict[str, float]


class Ready(BaseModel):
    type: Literal["ready"] = "ready"
    model: ModelIdentity
    generation: int | None
    spec: StreamSpec


class WindowScored(Window):
    """A window, in seconds since the stream began."""

    model_config = ConfigDict(frozen=True)

    type: Literal["window"] = "window"
    model: ModelIdentity
    generation: int | None


class Swapped(BaseModel):
    """Windows from `at` seconds on come from another model."""

    type: Literal["swap"] = "swap"
    at: float
    model: ModelIdentity
    generation: int | None
    spec: StreamSpec


class StreamFailed(BaseModel):
    """Last message before the server closes."""

    type: Literal["error"] = "error"
    problem: dict[str, object]
