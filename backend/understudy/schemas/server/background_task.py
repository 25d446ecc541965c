"""The background tasks of a server."""

from pydantic import BaseModel, ConfigDict, Field

from understudy.schemas.registry.model import UtcTime


class BackgroundTaskStatus(BaseModel):
    """A task that should run as long as the server does; one that fails is started again."""

    model_config = ConfigDict(frozen=True)

    name: str
    running: bool = Field(description="false between a failure and the next start")
    failures: int = Field(description="Since the server started")
    failed_at: UtcTime | None = Field(description="The time of the last failure")
    reason: str | None = Field(description="The reason of the last failure")
