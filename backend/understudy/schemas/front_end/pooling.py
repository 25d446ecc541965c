"""Statistics over time that a clip's frames or embeddings are reduced to before the model."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Statistic(StrEnum):
    """A statistic over time of one feature."""

    MEAN = "mean"
    STD = "std"  # of the population, as numpy computes it
    VARIANCE = "variance"
    MAX = "max"
    MIN = "min"
    MEDIAN = "median"


class Pooling(BaseModel):
    """Reduces [time, features] to [statistics * features]: all values of the first statistic, then the next."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    statistics: tuple[Statistic, ...] = Field(default=(Statistic.MEAN,), min_length=1)
