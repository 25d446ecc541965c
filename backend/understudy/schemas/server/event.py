"""Events of GET /api/v1/events."""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from understudy.schemas.inference.prediction import ModelIdentity
from understudy.schemas.registry.model import UtcTime
from understudy.schemas.server.operation import Operation

EventName = Literal["hello", "stage", "models", "operation", "heartbeat"]


class Hello(BaseModel):
    """First event of a connection."""

    replica: str
    version: str


class DeploymentChanged(BaseModel):
    """Another model should be live from now on; `model` is null when its row is gone or was never read."""

    model_config = ConfigDict(protected_namespaces=())

    generation: int
    model_id: int | None
    model: ModelIdentity | None
    at: UtcTime


class ModelChanged(BaseModel):
    """A row or the record of its file changed: registered, updated, deleted, compiled, refused or repaired."""

    model_config = ConfigDict(protected_namespaces=())

    model_id: int | None
    change: str
    at: UtcTime


class Heartbeat(BaseModel):
    """Sent after two seconds without another event, so that a reader notices a connection that is dead or blocked.

    It has no id. A `read_at` that stays behind `at` means that the server cannot read its database: changes are then
    not reported.
    """

    at: UtcTime
    read_at: UtcTime = Field(description="When this process last read the changes from the database")


class EventData(BaseModel):
    """The names of the events, and the data of each as a JSON document."""

    hello: Hello
    stage: DeploymentChanged
    models: ModelChanged
    operation: Operation
    heartbeat: Heartbeat


@dataclass(frozen=True)
class ServerEvent:
    """One event. `position` grows with every entry of the history; a client that reconnects continues after it.

    It is None for an event that says nothing about the history.
    """

    name: EventName
    data: Hello | DeploymentChanged | ModelChanged | Operation | Heartbeat
    position: int | None
