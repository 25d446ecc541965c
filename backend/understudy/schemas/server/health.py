"""The answer of the readiness probe."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from understudy.schemas.inference.prediction import ModelIdentity


class Readiness(BaseModel):
    """This process serves what the database desires, which may be no model, or is about to."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    status: Literal["ready"] = "ready"
    model: ModelIdentity | None = Field(description="The live model; null where no model is active")
    note: str | None = Field(
        default=None,
        description="Why predictions fail although this process is ready, which model is being loaded in place of the "
        "live one, and which background tasks are down",
    )
    tensors_only: bool = Field(default=False, description="The live model takes tensors and cannot score recordings")
    registry_age_seconds: float | None = Field(
        default=None, description="Time since the database was last read for the model that should be live"
    )
