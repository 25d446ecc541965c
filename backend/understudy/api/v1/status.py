"""The status of this process over HTTP."""

from fastapi import APIRouter

from understudy.access.actions import Action
from understudy.api.access.permission import require
from understudy.api.dependencies import Served
from understudy.schemas.server.status import Status

router = APIRouter(prefix="/status", tags=["status"])


@router.get("", summary="Status", dependencies=require(Action.VIEW))
async def get_status(services: Served) -> Status:
    """Live and desired model, backbone, database, replicas, uptime."""
    return await services.status_reporter.status()
