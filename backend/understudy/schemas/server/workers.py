"""The worker processes of a server."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class WorkerState(StrEnum):
    """The state of a worker: it loads models before it gets work, and answers clips when it is ready."""

    STARTING = "starting"
    READY = "ready"


class WorkerStatus(BaseModel):
    """One worker process, which decodes and scores outside the server's process."""

    model_config = ConfigDict(frozen=True)

    pid: int | None
    state: WorkerState
    models: int = Field(description="Models that it has loaded")
    running: int = Field(description="Requests that it holds")
    walls: tuple[str, ...] = Field(description="The limits that hold for it, as far as this system has them")
