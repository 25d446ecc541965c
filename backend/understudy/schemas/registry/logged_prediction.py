"""The log of predictions as the API shows it."""

from pydantic import BaseModel, ConfigDict, Field

from understudy.schemas.registry.model import UtcTime


class LoggedPredictionOut(BaseModel):
    """One answer that was given."""

    model_config = ConfigDict(from_attributes=True, protected_namespaces=())

    prediction_id: int
    at: UtcTime
    principal_id: int | None
    principal_name: str | None = Field(description="Null where nobody was signed in")
    model_id: int
    model_name: str
    version: str | None
    digest: str = Field(description="SHA-256 of the model file")
    generation: int | None = Field(description="Null for a rehearsal")
    label: str
    score: float
    clip_digest: str = Field(description="SHA-256 of the recording's bytes as they were sent")


class LoggedPredictionPage(BaseModel):
    """A page of the log, latest first."""

    predictions: list[LoggedPredictionOut]
    next_cursor: str | None = Field(default=None, description="Pass as `cursor` for the next page; null on the last")
