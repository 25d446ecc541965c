"""Lists the history entries and operations that are newer than a reader's last reading."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.models import History, OperationRow
from understudy.schemas.registry.model import HistoryEntry
from understudy.schemas.server.operation import Operation


async def find_newest_entry(session: AsyncSession) -> int:
    """Return the `history_id` of the latest entry, or 0 for an empty history."""
    return await session.scalar(select(func.max(History.history_id))) or 0


async def list_entries_after(session: AsyncSession, history_id: int, *, limit: int = 500) -> list[HistoryEntry]:
    """Return the entries later than `history_id`, oldest first, at most `limit`."""
    query = select(History).where(History.history_id > history_id).order_by(History.history_id).limit(limit)
    return [HistoryEntry.model_validate(row) for row in await session.scalars(query)]


async def list_operations_after(session: AsyncSession, moment: datetime) -> list[Operation]:
    """Return the operations that changed after `moment`, in the order of their changes."""
    query = select(OperationRow).where(OperationRow.updated_at > moment).order_by(OperationRow.updated_at)
    return [Operation.model_validate(row) for row in await session.scalars(query)]
