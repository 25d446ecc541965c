"""Stores the progress of activations where every process can read it."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.errors import OperationNotFound
from understudy.models import OperationRow
from understudy.schemas.server.operation import Operation


async def save(session: AsyncSession, operation: Operation) -> None:
    """Insert the operation, or replace its row. The model's row is not stored: it is read when it is asked for."""
    rollout = operation.rollout.model_dump(mode="json") if operation.rollout else None
    await session.merge(OperationRow(**operation.model_dump(exclude={"model", "rollout"}), rollout=rollout))


async def get(session: AsyncSession, operation_id: str) -> Operation:
    """Return the operation; raises OperationNotFound."""
    row = await session.get(OperationRow, operation_id)
    if row is None:
        raise OperationNotFound(f"There is no operation {operation_id}.")
    return Operation.model_validate(row)


async def delete_older(session: AsyncSession, *, than: datetime) -> None:
    """Delete the operations that started before `than`."""
    await session.execute(delete(OperationRow).where(OperationRow.started_at < than))
