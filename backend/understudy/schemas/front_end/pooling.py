"""Statistics over time that a clip's frames or embeddings are reduced to before the model."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Statistic(StrEnum):
    """A statistic over time of one feature."""

    MEAN = "mean"
    STD = "std"  # of the population, as numpy computes it
    VARIANCE = "variance"
    MAX = "max"
    MIN = "min"
    MEDIAN = "median"


class Pooling(BaseModel):
    """Reduces [time, features] to [statistics * features]: all values of the first statistic, then the next.

    Without statistics (`"none"` in a spec) nothing is reduced: it states that the model takes them one by one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    statistics: tuple[Statistic, ...]

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, document: Any) -> Any:
        """Take `"none"`, `"mean"` or a list of statistics as the short form."""
        if document == "none":
            return {"statistics": ()}
        if isinstance(document, str):
            return {"statistics": tuple(document.split("+"))}
        return {"statistics": tuple(document)} if isinstance(document, list | tuple) else document
