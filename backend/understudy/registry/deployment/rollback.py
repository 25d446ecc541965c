"""Which model was live before the present one."""

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from understudy.models import FLOAT32, History, HistoryEvent, MlModel
from understudy.registry.deployment import desired_state

_FORM = func.coalesce(History.form, FLOAT32)
_WENT_LIVE = (HistoryEvent.ACTIVATED, HistoryEvent.ROLLED_BACK)


async def find_previous_active(session: AsyncSession) -> tuple[int, str] | None:
    """The model that went live last before the present one did, of those still registered, and the form it was in.

    The present model in another form counts as another model. None without one.

    With no model active it is the one that was live last. An id that was deleted and given out again does not count
    for what its earlier holder did.
    """
    present = await desired_state.desired(session)
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
        select(MlModel.model_id, _FORM)
        .join(MlModel, MlModel.model_id == History.model_id)
        .where(History.event.in_(_WENT_LIVE), History.generation.is_not(None), ~deleted_since)
        .order_by(History.generation.desc())
        .limit(1)
    )
    if present is not None:
        candidates = candidates.where(or_(History.model_id != present.model_id, _FORM.is_distinct_from(present.form)))
    found = (await session.execute(candidates)).one_or_none()
    return None if found is None else (found[0], found[1])
