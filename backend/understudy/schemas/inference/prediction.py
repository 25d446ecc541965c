"""The answer to a prediction."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.inference.finding import Finding


class ModelIdentity(BaseModel):
    """The model that computed an answer."""

    model_config = ConfigDict(frozen=True)

    model_id: int
    model_name: str
    version: str | None
    digest: str = Field(description="SHA-256 of the registered file")
    precision: Precision = Field(default=Precision.FLOAT32, description="The number format that it computed with")


class AudioFacts(BaseModel):
    """Facts about the recording, measured before a model runs."""

    model_config = ConfigDict(frozen=True)

    duration_seconds: float
    sample_rate: int = Field(description="Hz, of the source")
    channels: int
    codec: str
    level_dbfs: float | None = Field(description="RMS level relative to full scale; null for digital silence")
    peak_dbfs: float | None
    silent: bool
    clipped: bool


class Window(BaseModel):
    """Scores of one stretch of the clip, in seconds from its start.

    A window that could not be scored, because the model's output for it is not finite, has null for `label`, `score`
    and `scores`. Nothing is known about its sound.
    """

    model_config = ConfigDict(frozen=True)

    start: float
    end: float
    label: str | None = Field(description="Null where the window was not scored")
    score: float | None = Field(description="Null where the window was not scored")
    scores: dict[str, float] | None = Field(description="Null where the window was not scored")

    @property
    def scored(self) -> bool:
        """False where the model's output for the window is not finite."""
        return self.scores is not None


class Event(BaseModel):
    """A run of windows in which a label reached its threshold."""

    model_config = ConfigDict(frozen=True)

    label: str
    start: float
    end: float
    peak: float


class Timing(BaseModel):
    """Milliseconds spent in each phase."""

    model_config = ConfigDict(frozen=True)

    queue: float
    decode: float
    features: float
    inference: float


class Prediction(BaseModel):
    """`label` is the clip's best label and `score` its aggregated score."""

    model_config = ConfigDict(frozen=True)

    label: str
    score: float
    scores: dict[str, float]
    windows: tuple[Window, ...]
    events: tuple[Event, ...]
    audio: AudioFacts
    model: ModelIdentity
    generation: int | None = Field(description="Generation under which the model was live; null for a rehearsal")
    warnings: tuple[str, ...] = Field(description="What a reader of this answer must know, such as missing label names")
    findings: tuple[Finding, ...] = Field(
        description="What is damaged, missing, not scored or assumed, with a code, times and bytes"
    )
    timing_ms: Timing
    source: str | None = Field(default=None, description="As the request names it")
    recorded_at: datetime | None = Field(default=None, description="As the request says")
