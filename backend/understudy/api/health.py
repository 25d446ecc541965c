"""Health probes for process supervisors and load balancers."""

from fastapi import APIRouter

from understudy.api.dependencies import Served
from understudy.api.paths import HEALTH
from understudy.api.problem_responses import describe_problems
from understudy.errors import Unavailable

router = APIRouter(prefix=HEALTH, tags=["status"])


@router.get("/live", summary="The process answers")
async def check_live() -> dict[str, str]:
    return {"status": "live"}


@router.get("/ready", summary="The desired model is loaded", responses=describe_problems(Unavailable))
async def check_ready(services: Served) -> dict[str, str]:
    """503 with the reason while the model that should be live is not loaded."""
    services.status_reporter.require_ready()
    return {"status": "ready"}
