"""Recent statistics of a process, in buckets of time."""

from pydantic import BaseModel, Field

from understudy.schemas.inference.prediction import ModelIdentity
from understudy.schemas.registry.model import UtcTime


class Percentiles(BaseModel):
    """Milliseconds; null in a bucket without requests."""

    p50: float | None
    p95: float | None
    p99: float | None


class Bucket(BaseModel):
    at: UtcTime = Field(description="Start of the bucket")
    observed: bool = Field(
        description="False where this process did not run, before its start or while it was stopped; "
        "the counts are then unknown, not zero"
    )
    requests: int = Field(description="Predictions answered")
    errors: int = Field(description="Requests refused or failed, on any route")
    latency_ms: Percentiles
    stages: dict[str, Percentiles] = Field(description="Of each phase: queue, decode, features and inference")


class Swap(BaseModel):
    at: UtcTime
    generation: int
    model: ModelIdentity


class LastEvent(BaseModel):
    """The last recording in which the live model reported an event: its highest one."""

    at: UtcTime = Field(description="When it was answered")
    label: str
    score: float
    source: str | None = Field(description="The sensor or client that the request named")
    model: ModelIdentity


class Totals(BaseModel):
    """All buckets together."""

    requests: int = Field(description="Predictions answered")
    errors: int = Field(description="Requests refused or failed, on any route")
    latency_ms: Percentiles


class TrafficSummary(BaseModel):
    """Predictions and swaps of this process."""

    bucket_seconds: int
    buckets: list[Bucket]
    errors_by_code: dict[str, int]
    swaps: list[Swap]
    total: Totals
    last_event: LastEvent | None = Field(description="Since this process started; streams are not counted")
