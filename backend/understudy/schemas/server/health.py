"""The answer of the readiness probe."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from understudy.schemas.inference.prediction import ModelIdentity


class Readiness(BaseModel):
    """This process serves what the database desires, which may be no model."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    status: Literal["ready"] = "ready"
    model: ModelIdentity | None = Field(description="The live model; null where no model is active")
    note: str | None = Field(default=None, description="What predictions get where no model is active")
