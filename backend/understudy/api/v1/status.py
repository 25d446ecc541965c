"""What this process is and serves."""

from fastapi import APIRouter

from understudy.api.deps import Served
from understudy.schemas.status import Status

router = APIRouter(prefix="/status", tags=["status"])


@router.get("", summary="Status")
async def get_status(services: Served) -> Status:
    """Live and desired model, backbone, database, replicas, uptime."""
    return await services.condition.status()
