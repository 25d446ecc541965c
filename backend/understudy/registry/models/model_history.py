"""Writes and reads the history of models."""

from collections.abc import Sequence
from typing import Any
from typing import cast as typing_cast

from sqlalchemy import ColumnElement, Table, Text, cast, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from understudy.errors import UnderstudyError
from understudy.models import FileRecord, History, HistoryEvent, MlModel, utc_now
from understudy.registry.database import page_cursor
from understudy.schemas.registry.model import HistoryEntry, HistoryPage

_TABLE = typing_cast("Table", History.__table__)
_ORDER = "history"
_LARGEST_ID = 2**63 - 1


async def record(
    session: AsyncSession,
    event: HistoryEvent,
    model_id: int | None,
    *,
    actor: str,
    generation: int | None = None,
    variant: str | None = None,
    code: str | None = None,
    detail: str | None = None,
    remedy: str | None = None,
) -> None:
    """Append an entry with the model's present name, version and digest; they stay empty for a deleted model."""
    model = select(MlModel).where(MlModel.model_id == model_id)
    await session.execute(
        insert(_TABLE).values(
            at=utc_now(),
            event=event,
            model_id=model_id,
            model_name=model.with_only_columns(_shorten(MlModel.model_name, 255)).scalar_subquery(),
            version=model.with_only_columns(_shorten(MlModel.version, 50)).scalar_subquery(),
            digest=select(FileRecord.digest).where(FileRecord.model_id == model_id).scalar_subquery(),
            generation=generation,
            form=variant,
            actor=actor,
            code=code,
            detail=detail,
            remedy=remedy,
        )
    )


def _shorten(column: InstrumentedAttribute[Any], length: int) -> ColumnElement[str]:
    """Return the column as text of at most `length` characters: a table made by hand may hold longer ones."""
    return func.substr(cast(column, Text), 1, length)


async def record_refusal(session: AsyncSession, model_id: int | None, error: UnderstudyError, *, actor: str) -> None:
    """Append the refused request and its reason. Use a new transaction: the refused one is rolled back."""
    await record(
        session,
        HistoryEvent.REFUSED,
        model_id,
        actor=actor,
        code=error.code,
        detail=error.detail,
        remedy=error.remedy,
    )


async def read_page(
    session: AsyncSession,
    *,
    model_id: int | None = None,
    events: Sequence[str] | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> HistoryPage:
    """Return a page of entries, the newest first; raises RequestInvalid for a cursor of another list."""
    query = select(History).order_by(History.history_id.desc()).limit(limit + 1)
    if model_id is not None:
        query = query.where(History.model_id == model_id)
    if events is not None:
        query = query.where(History.event.in_(events))
    if cursor is not None:
        query = query.where(History.history_id < page_cursor.decode(cursor, _ORDER, largest_id=_LARGEST_ID)[1])
    found = [HistoryEntry.model_validate(row) for row in await session.scalars(query)]
    entries = found[:limit]
    more = len(found) > limit
    return HistoryPage(
        entries=entries, next_cursor=page_cursor.encode(_ORDER, None, entries[-1].history_id) if more else None
    )


async def find_newest_generation(session: AsyncSession) -> int:
    """Return the highest generation in the history, or 0."""
    return await session.scalar(select(func.max(History.generation))) or 0
