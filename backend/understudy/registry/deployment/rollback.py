"""Finds the model that a rollback goes back to."""

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from understudy.models import FLOAT32, History, HistoryEvent, MlModel
from understudy.registry.deployment import desired_state

_VARIANT = func.coalesce(History.form, FLOAT32)
_WENT_LIVE = (HistoryEvent.ACTIVATED, HistoryEvent.ROLLED_BACK)


async def find_previous_active(session: AsyncSession) -> tuple[int, str] | None:
    """Return id and variant of the registered model that was live before the present one, or None.

    The present model in another variant counts as another model. While no model is active, it is the model that was
    live last. A model whose id belonged to a deleted model before does not take over that model's history.
    """
    present = await desired_state.read_desired(session)
    candidates = _select_went_live().order_by(History.generation.desc()).limit(1)
    if present is not None:
        candidates = candidates.where(
            or_(History.model_id != present.model_id, _VARIANT.is_distinct_from(present.variant))
        )
    return await _find(session, candidates)


async def find_before(session: AsyncSession, generation: int) -> tuple[int, str] | None:
    """Return id and variant of the registered model that was live when `generation` was committed.

    None where none was live then, or where its record was deleted since.
    """
    return await _find(session, _select_went_live().where(History.generation == generation - 1).limit(1))


def _select_went_live() -> Select[int, str]:
    """Select id and variant of the registered models that went live, without those of deleted records."""
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
    return (
        select(MlModel.model_id, _VARIANT)
        .join(MlModel, MlModel.model_id == History.model_id)
        .where(History.event.in_(_WENT_LIVE), History.generation.is_not(None), ~deleted_since)
    )


async def _find(session: AsyncSession, candidates: Select[int, str]) -> tuple[int, str] | None:
    found = (await session.execute(candidates)).one_or_none()
    return None if found is None else (found[0], found[1])
