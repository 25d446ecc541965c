"""Reports on activations over HTTP."""

from fastapi import APIRouter

from understudy.api.dependencies import Served
from understudy.api.problem_responses import describe_problems
from understudy.errors import OperationNotFound
from understudy.schemas.server.operation import Operation

router = APIRouter(prefix="/operations", tags=["deployment"])


@router.get("/{operation_id}", summary="Follow an activation", responses=describe_problems(OperationNotFound))
async def get_operation(services: Served, operation_id: str) -> Operation:
    """Return step, progress and, when it failed, the problem."""
    return await services.operations.get(operation_id)
