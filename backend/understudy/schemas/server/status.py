"""The status of a server."""

from pydantic import BaseModel, ConfigDict, Field

from understudy.schemas.compiler.backbone import BackboneOut
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.inference.prediction import ModelIdentity
from understudy.schemas.registry.model import UtcTime
from understudy.schemas.server.background_task import BackgroundTaskStatus
from understudy.schemas.server.problem import Problem
from understudy.schemas.server.workers import WorkerStatus


class LiveStatus(BaseModel):
    """The model that answers requests in this process."""

    model: ModelIdentity
    generation: int
    since: UtcTime
    notes: tuple[str, ...] = Field(description="Differences from the registered file, such as its absence")
    tensors_only: bool = Field(default=False, description="The model takes tensors and cannot score recordings")


class DesiredStatus(BaseModel):
    """The model that the database says should be live."""

    model_config = ConfigDict(protected_namespaces=())

    model_id: int | None
    generation: int
    precision: Precision = Field(description="The precision in which the model should be live")


class BackboneStatus(BaseModel):
    installed: bool
    digest: str | None
    file: str


class DatabaseStatus(BaseModel):
    dialect: str
    reachable: bool
    problem: Problem | None


class ReplicaStatus(BaseModel):
    """The last report of one process; a process that stopped reporting is left out."""

    model_config = ConfigDict(from_attributes=True, protected_namespaces=())

    replica: str
    host: str
    process_id: int | None = Field(description="Process id on that host")
    model_id: int | None = Field(description="The model that this process serves")
    digest: str | None
    generation: int | None
    desired_generation: int | None = Field(description="The generation that this process tries to serve")
    state: str = Field(description="live, loading, empty or failed; while loading, the model named here answers")
    error: Problem | None = Field(description="Why the desired model could not be loaded; the process tries again")
    load_seconds: float | None = Field(description="Time that this process took to load its model")
    lag_seconds: float | None = Field(
        description="Time from the commit until the model was live in this process; null where it started later"
    )
    seen_at: UtcTime


class ReplicaList(BaseModel):
    """The last reports of the servers that run on this database, ordered by name."""

    replicas: tuple[ReplicaStatus, ...]


class PredictionLogStatus(BaseModel):
    """The log of predictions, as this process has written it since it started."""

    days: int = Field(description="How long entries are kept")
    waiting: int = Field(description="Predictions that are not written yet")
    written: int
    dropped: int = Field(description="Predictions that are missing in the log: more came than could be written")


class Status(BaseModel):
    version: str
    replica: str
    uptime_seconds: float
    in_sync: bool = Field(
        description="This process serves the model that the database says should be live, and read so not too long ago"
    )
    registry_age_seconds: float | None = Field(
        default=None, description="Time since the database was last read; null before the first time"
    )
    problem: Problem | None = Field(description="Why this process is not in sync or cannot answer")
    live: LiveStatus | None
    desired: DesiredStatus | None = Field(description="null while the database does not answer")
    backbone: BackboneStatus = Field(description="YAMNet")
    backbones: tuple[BackboneOut, ...] = Field(description="Backbones that were installed under names")
    database: DatabaseStatus
    workers: tuple[WorkerStatus, ...] = Field(description="None where the server's own process computes")
    tasks: tuple[BackgroundTaskStatus, ...] = Field(default=(), description="The background tasks of this server")
    prediction_log: PredictionLogStatus | None = Field(
        default=None, description="Null where predictions are not logged"
    )
    replicas: tuple[ReplicaStatus, ...]
