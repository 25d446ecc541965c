"""The state of an activation, as GET /api/v1/operations/{id} returns it."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from understudy.schemas.registry.model import ModelOut, UtcTime
from understudy.schemas.server.problem import Problem
from understudy.schemas.server.rollout import Rollout


class Step(StrEnum):
    """The steps of an activation, in order."""

    VERIFY = "verify"
    COMPILE = "compile"
    WARM_UP = "warm_up"
    COMMIT = "commit"
    SWAP = "swap"


class OperationState(StrEnum):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Operation(BaseModel):
    model_config = ConfigDict(from_attributes=True, protected_namespaces=())

    operation_id: str
    kind: str = Field(description="activate or rollback")
    model_id: int
    state: OperationState
    step: Step
    progress: float = Field(ge=0, le=1)
    generation: int | None = Field(description="Generation that the activation committed")
    error: Problem | None = Field(description="Why it failed")
    warnings: Annotated[tuple[str, ...], BeforeValidator(lambda stored: stored or ())] = Field(
        default=(), description="What to know about the model that went live, such as labels without names"
    )
    started_at: UtcTime
    updated_at: UtcTime
    # A factory: FastAPI leaves a default of null out of its document, and Pydantic does not.
    model: ModelOut | None = Field(
        default_factory=lambda: None,
        description="The model's row once it is live; null until then, after a failure, and in events",
    )
    rollout: Rollout | None = Field(
        default_factory=lambda: None,
        description="Which servers serve the model, after wait=all; null where nobody waited for that",
    )


class RollbackTarget(BaseModel):
    model: ModelOut
    variant: str = Field(description="float32, or the key of an int8 variant")
