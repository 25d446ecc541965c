"""Probes for whoever restarts processes and routes traffic."""

from fastapi import APIRouter

from understudy.api.dependencies import Served
from understudy.api.paths import HEALTH
from understudy.api.problem_responses import problems
from understudy.errors import Unavailable

router = APIRouter(prefix=HEALTH, tags=["status"])


@router.get("/live", summary="The process answers")
async def live() -> dict[str, str]:
    return {"status": "live"}


@router.get("/ready", summary="What is desired is loaded", responses=problems(Unavailable))
async def ready(services: Served) -> dict[str, str]:
    """503 with the reason while the model that should be live is not loaded."""
    services.status_reporter.require_ready()
    return {"status": "ready"}
