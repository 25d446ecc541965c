"""Activations on their way."""

from fastapi import APIRouter

from app.api.deps import Served
from app.api.responses import problems
from app.errors import OperationNotFound
from app.schemas.operation import Operation

router = APIRouter(prefix="/operations", tags=["stage"])


@router.get("/{operation_id}", summary="Follow an activation", responses=problems(OperationNotFound))
async def get_operation(services: Served, operation_id: str) -> Operation:
    """Step, progress and, when it failed, the problem."""
    return await services.operations.get(operation_id)
