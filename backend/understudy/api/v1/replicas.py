"""The servers on this database over HTTP."""

from fastapi import APIRouter

from understudy.access.actions import Action
from understudy.api.access.permission import require
from understudy.api.dependencies import Served
from understudy.schemas.server.status import ReplicaList

router = APIRouter(prefix="/replicas", tags=["status"])


@router.get("", summary="Servers", dependencies=require(Action.VIEW))
async def list_replicas(services: Served) -> ReplicaList:
    """Return what each server on this database serves, how long it took to follow, and why it could not."""
    return await services.replica_reports.list()
