"""Health probes for process supervisors and load balancers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from understudy.access.actions import Action
from understudy.api.access.permission import CurrentCaller, require
from understudy.api.dependencies import Served
from understudy.api.paths import HEALTH
from understudy.api.problems.problem_responses import describe_problems
from understudy.errors import (
    DatabaseReplaced,
    ModelNotLoaded,
    NoActiveModel,
    RegistryOutdated,
    RequestInvalid,
    Unavailable,
    UnderstudyError,
)
from understudy.schemas.server.health import Readiness

router = APIRouter(prefix=HEALTH, tags=["status"])
# The same answer below the path of the documented API, where clients look for it.
v1_router = APIRouter(prefix=HEALTH, tags=["status"])

_SUMMARY = "The desired model is loaded"
_PROBLEMS = describe_problems(ModelNotLoaded, NoActiveModel, RegistryOutdated, DatabaseReplaced, RequestInvalid)


@router.get("/live", summary="The process answers", dependencies=require(Action.CHECK_HEALTH))
async def check_live() -> dict[str, str]:
    return {"status": "live"}


@router.get("/ready", summary=_SUMMARY, responses=_PROBLEMS, dependencies=require(Action.CHECK_HEALTH))
@v1_router.get("", summary=_SUMMARY, responses=_PROBLEMS, dependencies=require(Action.CHECK_HEALTH))
async def check_ready(
    services: Served,
    caller: CurrentCaller,
    model: Annotated[
        Literal["required"] | None,
        Query(description="`required` answers 503 where no model is active: for a load balancer of predictions"),
    ] = None,
) -> Readiness:
    """503 with the reason while the model that should be live is not loaded, or not known any more.

    An empty registry is ready.

    Where access is required, a caller who is not signed in learns up or down, and neither the model nor the reason.
    """
    if caller.knows_reasons:
        return services.status_reporter.check_readiness(require_model=model is not None)
    with hide_reasons():
        services.status_reporter.check_readiness(require_model=model is not None)
    return Readiness(model=None)


@contextmanager
def hide_reasons() -> Iterator[None]:
    """Raise Unavailable without a reason in place of any error that has one."""
    try:
        yield
    except UnderstudyError:
        raise Unavailable("The server is not ready.", remedy="Sign in to see the reason.") from None
