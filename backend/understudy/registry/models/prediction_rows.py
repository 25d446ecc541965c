"""Writes, reads and removes the log of predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete as sql_delete
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.models import LoggedPrediction
from understudy.registry.database import page_cursor
from understudy.schemas.registry.logged_prediction import LoggedPredictionOut, LoggedPredictionPage

_ORDER = "predictions"
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class PredictionFilter:
    """Selects entries of the log; times are in UTC without a zone. None selects all."""

    since: datetime | None = None
    until: datetime | None = None
    model_id: int | None = None
    label: str | None = None


async def insert_all(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    await session.execute(insert(LoggedPrediction), list(rows))


async def read_page(
    session: AsyncSession, wanted: PredictionFilter, *, limit: int, cursor: str | None
) -> LoggedPredictionPage:
    """Return a page, the newest first. Raises RequestInvalid for a cursor of another list."""
    key = LoggedPrediction.prediction_id
    query = select(LoggedPrediction).order_by(key.desc()).limit(limit + 1)
    if wanted.since is not None:
        query = query.where(LoggedPrediction.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(LoggedPrediction.at <= wanted.until)
    if wanted.model_id is not None:
        query = query.where(LoggedPrediction.model_id == wanted.model_id)
    if wanted.label is not None:
        query = query.where(LoggedPrediction.label == wanted.label)
    if cursor is not None:
        query = query.where(key < page_cursor.decode(cursor, _ORDER, largest_id=_LARGEST_ID)[1])
    found = [LoggedPredictionOut.model_validate(row) for row in await session.scalars(query)]
    kept, more = found[:limit], len(found) > limit
    return LoggedPredictionPage(
        predictions=kept, next_cursor=page_cursor.encode(_ORDER, None, kept[-1].prediction_id) if more else None
    )


async def delete_before(session: AsyncSession, moment: datetime, *, most: int) -> int:
    """Delete at most `most` of the entries before `moment`; return how many."""
    old = select(LoggedPrediction.prediction_id).where(LoggedPrediction.at < moment).limit(most)
    found = (await session.scalars(old)).all()
    if found:
        await session.execute(sql_delete(LoggedPrediction).where(LoggedPrediction.prediction_id.in_(found)))
    return len(found)
