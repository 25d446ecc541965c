"""Finds models by name, as clients of the v2 protocol ask for them."""

from dataclasses import dataclass

from sqlalchemy import Text, cast, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.errors import ModelNotFound
from understudy.models import CompileState, FileRecord, MlModel
from understudy.registry.database.column_values import refuse_nul
from understudy.registry.models.table.rows import select_rows


@dataclass(frozen=True)
class IndexedModel:
    """An entry of the index of models."""

    model_name: str
    version: str | None
    compile_state: str

    @property
    def is_ready(self) -> bool:
        """True when the model is compiled."""
        return self.compile_state == CompileState.READY


async def find(session: AsyncSession, name: str, version: str | None) -> int:
    """Return the `model_id` of the row called `name`, of that `version` unless it is None.

    A table made by hand without the unique constraint may hold several such rows: the active one comes first, then the
    newest. Raises ModelNotFound, and RequestInvalid for a name that cannot be stored.
    """
    refuse_nul("model_name", name)
    refuse_nul("version", version)
    query = select(MlModel.model_id).where(MlModel.model_name == name)
    if version is not None:
        # The column may hold numbers, which PostgreSQL would not compare with a word.
        query = query.where(cast(MlModel.version, Text) == version)
    query = query.order_by((MlModel.is_active == true()).desc(), MlModel.model_id.desc()).limit(1)
    found = await session.scalar(query)
    if found is None:
        of_version = "" if version is None else f" of version {version!r}"
        raise ModelNotFound(f"There is no model {name!r}{of_version}.")
    return found


async def list_newest(session: AsyncSession, *, limit: int) -> list[IndexedModel]:
    """Return the newest `limit` models, the newest first."""
    state = func.coalesce(FileRecord.compile_state, CompileState.NOT_COMPILED.value)
    columns = (MlModel.model_name, MlModel.version, state)
    query = select_rows().with_only_columns(*columns).order_by(MlModel.model_id.desc()).limit(limit)
    found = await session.execute(query)
    return [IndexedModel(*row) for row in found]
