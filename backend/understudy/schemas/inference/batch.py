"""The answer to many recordings."""

from pydantic import BaseModel, ConfigDict, Field

from understudy.schemas.inference.prediction import Prediction
from understudy.schemas.server.problem import Problem


class BatchLine(BaseModel):
    """One recording's line: its `prediction`, or the `problem` that it was refused with."""

    model_config = ConfigDict(frozen=True)

    index: int = Field(description="Place in the request, from 0; lines come in the order of completion")
    file: str = Field(description="Name of the uploaded file")
    generation: int | None = Field(description="Of the model that scores the whole batch; null for a rehearsal")
    prediction: Prediction | None = None
    problem: Problem | None = None
