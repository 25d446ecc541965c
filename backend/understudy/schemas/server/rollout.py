"""Reports an activation on the servers of a registry."""

from pydantic import BaseModel, ConfigDict, Field

from understudy.schemas.server.problem import Problem
from understudy.schemas.server.status import ReplicaStatus

DEFAULT_SECONDS = 30.0
LONGEST_SECONDS = 600.0


class RolloutOptions(BaseModel):
    """The time to wait until every live server serves the new generation, and the failures that take the fleet back."""

    model_config = ConfigDict(frozen=True)

    timeout_seconds: float = Field(default=DEFAULT_SECONDS, gt=0, le=LONGEST_SECONDS, allow_inf_nan=False)
    fail_fleet: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        allow_inf_nan=False,
        description="Return the fleet to the model before where more than this share of the servers cannot load",
    )


class ReplicaBehind(ReplicaStatus):
    """A server that does not serve the generation yet, as it reported last."""

    reported_seconds_ago: float


class Rollout(BaseModel):
    """The live servers that serve the generation that an activation committed, and those that do not yet."""

    generation: int
    complete: bool = Field(description="Every live server serves this generation or a newer one")
    replicas: int = Field(description="Live servers at the last look")
    behind: tuple[ReplicaBehind, ...] = Field(description="The servers that do not serve it, with the reason")
    waited_seconds: float
    problem: Problem | None = Field(description="Why the servers' reports could not be read")
