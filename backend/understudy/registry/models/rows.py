"""Rows of `ml_models` with what is recorded of their files."""

from dataclasses import dataclass

from sqlalchemy import Select, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.errors import ModelNotFound, NameTaken
from understudy.models import FileRecord, History, MlModel
from understudy.schemas.registry.model import LARGEST_ID


@dataclass(frozen=True)
class Row:
    """`record` is None for a row made by hand that was never read, or whose path was changed by hand since."""

    model: MlModel
    record: FileRecord | None


def with_records() -> Select[MlModel, FileRecord]:
    """Every model with its record, where that is about the path the row has now."""
    return select(MlModel, FileRecord).outerjoin(
        FileRecord, (FileRecord.model_id == MlModel.model_id) & (FileRecord.file_path == MlModel.file_path)
    )


async def get(session: AsyncSession, model_id: int, *, for_update: bool = False) -> Row:
    """Raises ModelNotFound. `for_update` holds the row until the transaction ends."""
    refuse_impossible_id(model_id)
    query = with_records().where(MlModel.model_id == model_id)
    if for_update:
        query = query.with_for_update(of=MlModel)
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise ModelNotFound(f"There is no model {model_id}.")
    return Row(*found)


def refuse_impossible_id(model_id: int) -> None:
    """Raises ModelNotFound for a number that the column cannot hold, before a database chokes on it."""
    if not 0 <= model_id <= LARGEST_ID:
        raise ModelNotFound(f"There is no model {model_id}.")


async def active(session: AsyncSession) -> Row | None:
    """Of several active rows (possible only without the index) the one the repair would keep."""
    query = (
        with_records()
        .where(MlModel.is_active == true())
        .order_by(MlModel.updated_at.desc().nulls_last(), MlModel.model_id.desc())
        .limit(1)
    )
    found = (await session.execute(query)).one_or_none()
    return None if found is None else Row(*found)


async def refuse_taken_name(session: AsyncSession, name: str, *, but: int | None = None) -> None:
    """Raises NameTaken when a model other than `but` has the name."""
    query = select(MlModel.model_id).where(MlModel.model_name == name).limit(1)
    if but is not None:
        query = query.where(MlModel.model_id != but)
    holder = await session.scalar(query)
    if holder is not None:
        raise NameTaken(f"The name {name!r} is taken by model {holder}.")


async def next_id(session: AsyncSession) -> int | None:
    """An id that no model ever had, where the database would not see to that itself; None where it does.

    SQLite gives the highest id out again after a deletion, and none at all in a hand-made table whose `model_id` is
    not INTEGER PRIMARY KEY. Its transaction holds the write lock already.
    """
    if session.get_bind().dialect.name != "sqlite":
        return None
    highest = (
        select(func.coalesce(func.max(each), 0)).scalar_subquery() for each in (MlModel.model_id, History.model_id)
    )
    present, past = (await session.execute(select(*highest))).one()
    return int(max(present, past)) + 1
