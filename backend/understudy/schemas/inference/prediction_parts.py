"""Lines of the answer of POST /api/v1/predict in parts."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from understudy.schemas.inference.prediction import ModelIdentity, Prediction, Window
from understudy.schemas.server.problem import Problem


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class PredictionStarted(_Line):
    """First line: the model that computes the answer."""

    type: Literal["started"] = "started"
    model: ModelIdentity
    generation: int | None = Field(description="Generation under which the model is live; null for a rehearsal")


class PredictionWindows(_Line):
    """Windows that were scored, in order of time and each once, with their ten best labels.

    They are preliminary: the recording may turn out to be damaged, and a last window that reaches past its end is not
    cut yet. A short recording has no such line.
    """

    type: Literal["windows"] = "windows"
    windows: tuple[Window, ...]


class PredictionCompleted(_Line):
    """Last line: the answer, with all its windows, as the route gives it at once."""

    type: Literal["prediction"] = "prediction"
    prediction: Prediction


class PredictionFailed(_Line):
    """Last line where the recording got no answer: the windows before it count for nothing."""

    type: Literal["problem"] = "problem"
    problem: Problem


class PredictionLine(RootModel[PredictionStarted | PredictionWindows | PredictionCompleted | PredictionFailed]):
    """A line of the answer. One whose last line is neither `prediction` nor `problem` was cut off."""

    root: Annotated[
        PredictionStarted | PredictionWindows | PredictionCompleted | PredictionFailed, Field(discriminator="type")
    ]
