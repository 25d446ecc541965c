"""What a server says of itself."""

from pydantic import BaseModel, ConfigDict, Field

from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.inference.prediction import ModelIdentity
from understudy.schemas.registry.model import UtcTime
from understudy.schemas.server.problem import Problem


class LiveStatus(BaseModel):
    """The model that answers requests in this process."""

    model: ModelIdentity
    generation: int
    since: UtcTime
    notes: tuple[str, ...] = Field(description="What differs from the registered file, such as its absence")


class DesiredStatus(BaseModel):
    """What the database says should be live."""

    model_config = ConfigDict(protected_namespaces=())

    model_id: int | None
    generation: int
    precision: Precision = Field(description="In which the model should be live")


class BackboneStatus(BaseModel):
    installed: bool
    digest: str | None
    file: str


class DatabaseStatus(BaseModel):
    dialect: str
    reachable: bool
    problem: Problem | None


class ReplicaStatus(BaseModel):
    """What one process last reported; processes that stopped reporting drop out."""

    model_config = ConfigDict(from_attributes=True, protected_namespaces=())

    replica: str
    model_id: int | None
    digest: str | None
    generation: int | None
    state: str = Field(description="live, empty or failed")
    error: Problem | None
    seen_at: UtcTime


class Status(BaseModel):
    version: str
    replica: str
    uptime_seconds: float
    in_sync: bool = Field(description="This process serves what the database desires")
    problem: Problem | None = Field(description="Why it does not, as the last attempt ended")
    live: LiveStatus | None
    desired: DesiredStatus | None = Field(description="null while the database does not answer")
    backbone: BackboneStatus
    database: DatabaseStatus
    replicas: tuple[ReplicaStatus, ...]
