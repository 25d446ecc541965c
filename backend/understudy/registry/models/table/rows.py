"""Reads and writes rows of `ml_models`, together with the records of their files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVarTuple

from sqlalchemy import Select, func, select, true
from sqlalchemy import delete as sql_delete
from sqlalchemy import insert as sql_insert
from sqlalchemy import update as sql_update
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.errors import ModelNotFound, NameTaken, RowRefused
from understudy.models import FileRecord, History, MlModel
from understudy.schemas.registry.model import LARGEST_ID

_Columns = TypeVarTuple("_Columns")

_TRIGGERS = "Nothing was changed. Look at the triggers and rules of ml_models, and change those that stop Understudy."


@dataclass(frozen=True)
class Row:
    """A model and the record of its file.

    `record` is None for a row made by hand whose file was never read, or whose path was changed by hand since.
    """

    model: MlModel
    record: FileRecord | None


def select_rows() -> Select[MlModel, FileRecord]:
    """Return the query for every model with its record, where the record is about the path that the row has now."""
    return select(MlModel, FileRecord).outerjoin(
        FileRecord, (FileRecord.model_id == MlModel.model_id) & (FileRecord.file_path == MlModel.file_path)
    )


def order_active_rows(query: Select[*_Columns]) -> Select[*_Columns]:
    """Keep the active rows of `query`, in the order of precedence: the first one stays active after a repair.

    Several active rows are possible only where the unique index is missing.
    """
    return query.where(MlModel.is_active == true()).order_by(
        MlModel.updated_at.desc().nulls_last(), MlModel.model_id.desc()
    )


async def find(session: AsyncSession, model_id: int) -> Row | None:
    """Return the row, or None when there is none."""
    found = (await session.execute(select_rows().where(MlModel.model_id == model_id))).one_or_none()
    return None if found is None else Row(*found)


async def get(session: AsyncSession, model_id: int, *, for_update: bool = False) -> Row:
    """Return the row as the database has it now; raises ModelNotFound.

    With `for_update` it stays locked until the transaction ends.
    """
    refuse_impossible_id(model_id)
    query = select_rows().where(MlModel.model_id == model_id).execution_options(populate_existing=True)
    if for_update:
        query = query.with_for_update(of=MlModel)
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise ModelNotFound(f"There is no model {model_id}.")
    return Row(*found)


def refuse_impossible_id(model_id: int) -> None:
    """Raises ModelNotFound for a number that the column cannot hold, which the database would answer with an error."""
    if not 0 <= model_id <= LARGEST_ID:
        raise ModelNotFound(f"There is no model {model_id}.")


async def insert(session: AsyncSession, columns: Mapping[str, Any]) -> Row:
    """Insert a model and return its row as the database stored it: defaults and triggers may add to `columns`.

    Columns that are not named are left to the database. Raises RowRefused when a trigger dropped the row.
    """
    values = dict(columns)
    if "model_id" not in values and (model_id := await choose_next_id(session)) is not None:
        values["model_id"] = model_id
    inserted = await session.execute(sql_insert(MlModel).values(values).returning(MlModel.model_id))
    stored = inserted.scalar_one_or_none()
    if stored is None:
        raise RowRefused("The database dropped the new row; one of its triggers or rules does so.", remedy=_TRIGGERS)
    return await get(session, stored)


async def change(session: AsyncSession, model_id: int, columns: Mapping[str, Any]) -> Row:
    """Change a model and return its row as the database stored it.

    Raises RowRefused when a trigger dropped the change.
    """
    statement = sql_update(MlModel).where(MlModel.model_id == model_id).values(dict(columns))
    changed = await session.execute(statement.returning(MlModel.model_id).execution_options(synchronize_session=False))
    if changed.scalar_one_or_none() is None:
        raise RowRefused("The database dropped the change; one of its triggers or rules does so.", remedy=_TRIGGERS)
    return await get(session, model_id)


async def delete(session: AsyncSession, model_id: int) -> None:
    """Delete a model and the record of its file. Raises RowRefused when a trigger kept the row."""
    statement = sql_delete(MlModel).where(MlModel.model_id == model_id).returning(MlModel.model_id)
    deleted = await session.execute(statement.execution_options(synchronize_session=False))
    if deleted.scalar_one_or_none() is None:
        raise RowRefused("The database kept the row; one of its triggers or rules does so.", remedy=_TRIGGERS)


async def find_active(session: AsyncSession) -> Row | None:
    """Return the active row; of several, the one that was updated last."""
    found = (await session.execute(order_active_rows(select_rows()).limit(1))).one_or_none()
    return None if found is None else Row(*found)


async def list_all(session: AsyncSession) -> list[Row]:
    """Return every row."""
    return [Row(*found) for found in await session.execute(select_rows())]


async def list_file_paths(session: AsyncSession) -> set[str]:
    """Return the paths of all registered files, as the rows spell them."""
    return set(await session.scalars(select(MlModel.file_path)))


async def refuse_taken_name(session: AsyncSession, name: str, *, except_for: int | None = None) -> None:
    """Raises NameTaken when a model other than `except_for` has the name."""
    query = select(MlModel.model_id).where(MlModel.model_name == name).limit(1)
    if except_for is not None:
        query = query.where(MlModel.model_id != except_for)
    holder = await session.scalar(query)
    if holder is not None:
        raise NameTaken(f"The name {name!r} is taken by model {holder}.")


async def choose_next_id(session: AsyncSession) -> int | None:
    """Return an id that no model has had yet, or None where the database chooses one by itself (PostgreSQL).

    SQLite would use the highest id again after its model was deleted, and would insert no id at all in a hand-made
    table whose `model_id` is not INTEGER PRIMARY KEY. The transaction must hold SQLite's write lock.
    """
    if session.get_bind().dialect.name != "sqlite":
        return None
    highest = (
        select(func.coalesce(func.max(each), 0)).scalar_subquery() for each in (MlModel.model_id, History.model_id)
    )
    present, past = (await session.execute(select(*highest))).one()
    return int(max(present, past)) + 1
