"""Which model was live before the present one."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.models import History, HistoryEvent, MlModel
from app.registry import stage

_WENT_LIVE = (HistoryEvent.ACTIVATED, HistoryEvent.ROLLED_BACK)


async def previous_active(session: AsyncSession) -> int | None:
    """The model that went live last before the present one did, of those that are still registered; None without one.

    With no model active it is the one that was live last. An id that was deleted and given out again does not count
    for what its earlier holder did.
    """
    present = await stage.desired(session)
    deletion = aliased(History)
    deleted_since = (
        select(deletion.history_id)
        .where(
            deletion.model_id == History.model_id,
            deletion.event == HistoryEvent.DELETED,
            deletion.history_id > History.history_id,
        )
        .exists()
    )
    candidates = (
        select(History.model_id)
        .join(MlModel, MlModel.model_id == History.model_id)
        .where(History.event.in_(_WENT_LIVE), History.generation.is_not(None), ~deleted_since)
        .order_by(History.generation.desc())
        .limit(1)
    )
    if present is not None:
        candidates = candidates.where(History.model_id != present.model_id)
    return await session.scalar(candidates)
