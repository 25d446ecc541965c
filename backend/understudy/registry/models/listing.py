"""Pages of the model list: filters, sorting, and continuing where the page before ended.

Pages continue after a sort key and id, not after a count, so that rows that come or go in between shift nothing, and
every order walks an index: a page costs the same at any size of table and any depth.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import ColumnElement, Integer, Select, Text, func, literal, or_, select, tuple_, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from understudy.models import FileRecord, MlModel, ModelCount
from understudy.registry.database import cursor
from understudy.registry.models.row_view import RECORDED
from understudy.schemas.registry.model import LARGEST_ID
from understudy.schemas.registry.model_query import ModelQuery

_COLUMNS = {
    "id": MlModel.model_id,
    "name": MlModel.model_name,
    "created_at": MlModel.created_at,
    "updated_at": MlModel.updated_at,
    "accuracy": MlModel.accuracy,
    "version": MlModel.version,
    "type": MlModel.model_type,
}
_SEARCHED = (MlModel.model_name, MlModel.version, MlModel.description, MlModel.file_path)
_NEVER_NULL = {"id", "name"}
_TIMES = {"created_at", "updated_at"}
_KEY = "sort_key"
_KEY_TYPES: dict[str, tuple[type, ...]] = {"id": (int,), "accuracy": (float,)}


@dataclass(frozen=True)
class Page:
    """`rows` have the columns of `ml_models`, and those of the file's record that are shown."""

    rows: list[dict[str, Any]]
    next_cursor: str | None
    total: int


async def page(session: AsyncSession, query: ModelQuery) -> Page:
    """Raises RequestInvalid for a cursor that does not belong to this sort order."""
    order = _SortOrder.of(query, session.get_bind().dialect.name)
    filters = _filters(query, order.dialect)
    connection = await session.connection()
    found: list[dict[str, Any]] = []
    for part in order.parts(query):
        if (room := query.limit + 1 - len(found)) > 0:
            statement = _with_records(part.where(*filters).limit(room), order)
            result = await connection.execute(statement)
            names = tuple(result.keys())
            found += [dict(zip(names, row, strict=True)) for row in result]
    shown = found[: query.limit]
    more = len(found) > query.limit
    return Page(
        rows=shown,
        next_cursor=cursor.encode(query.sort, shown[-1][_KEY], shown[-1]["model_id"]) if more else None,
        total=await _total(session, filters),
    )


def _with_records(models: Select[Any], order: "_SortOrder") -> Select[Any]:
    """The limit stays inside: PostgreSQL would otherwise merge with all records from the first one on."""
    page = models.subquery("page")
    record = FileRecord.__table__.c
    about = (record.model_id == page.c.model_id) & (record.file_path == page.c.file_path)
    return (
        select(page, *(record[name] for name in RECORDED))
        .select_from(page.outerjoin(FileRecord.__table__, about))
        .order_by(*order.of_columns(page.c[_KEY], page.c.model_id))
    )


async def _total(session: AsyncSession, filters: list[ColumnElement[bool]]) -> int:
    """Exact. Without a filter it is the number that triggers keep; otherwise the matches are counted."""
    kept = select(func.sum(ModelCount.models))
    counted = select(func.count()).select_from(MlModel).where(*filters)
    return int(await session.scalar(counted if filters else kept) or 0)


@dataclass(frozen=True)
class _SortOrder:
    """A sort order as the database can walk an index by it.

    No index has the rows without a value at the end of both directions, so they are a part of their own.
    """

    name: str
    falling: bool
    key: ColumnElement[Any]
    dialect: str

    @classmethod
    def of(cls, query: ModelQuery, dialect: str) -> Self:
        name = query.sort.removeprefix("-")
        column: ColumnElement[Any] = _COLUMNS[name].expression
        # SQLite holds times as text, in several spellings once people insert rows.
        key = type_coerce(column, Text) if name in _TIMES and dialect == "sqlite" else column
        return cls(name, query.sort.startswith("-"), key, dialect)

    def parts(self, query: ModelQuery) -> Iterator[Select[Any]]:
        """What is left of the list after the query's cursor, one part after the other."""
        after = None
        if query.cursor is not None:
            after = cursor.decode(query.cursor, query.sort, largest_id=LARGEST_ID)
        rows = select(*MlModel.__table__.c, self.key.label(_KEY)).order_by(*self.of_columns(self.key, MlModel.model_id))
        if self.name == "id":
            yield rows if after is None else rows.where(self._beyond(MlModel.model_id, after[1]))
            return
        if after is None or after[0] is not None:
            valued = rows if self.name in _NEVER_NULL else rows.where(self.key.is_not(None))
            if after is not None:
                _refuse_other_type(self.name, after[0], self.dialect)
                place = tuple_(literal(after[0], self.key.type), literal(after[1], Integer))
                valued = valued.where(self._beyond(tuple_(self.key, MlModel.model_id), place))
            yield valued
        if self.name not in _NEVER_NULL:
            empty = rows.where(self.key.is_(None))
            yield (
                empty
                if after is None or after[0] is not None
                else empty.where(self._beyond(MlModel.model_id, after[1]))
            )

    def of_columns(self, key: ColumnElement[Any], model_id: Any) -> tuple[ColumnElement[Any], ...]:
        columns = (model_id,) if self.name == "id" else (key, model_id)
        return tuple(column.desc() if self.falling else column.asc() for column in columns)

    def _beyond(self, column: Any, place: Any) -> ColumnElement[bool]:
        beyond: ColumnElement[bool] = column < place if self.falling else column > place
        return beyond


def _filters(query: ModelQuery, dialect: str) -> list[ColumnElement[bool]]:
    filters: list[ColumnElement[bool]] = []
    if query.type is not None:
        filters.append(MlModel.model_type == query.type)
    if query.q:
        filters.append(or_(*(_contains(column, query.q, dialect) for column in _SEARCHED)))
    return filters


def _contains(
    column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None], text: str, dialect: str
) -> ColumnElement[bool]:
    if dialect != "sqlite":
        return column.icontains(text, autoescape=True)
    # SQLite's LIKE ignores the case of ASCII letters only.
    folded = column if text.isascii() else func.unicode_lower(column)
    escaped = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return folded.like(f"%{escaped}%", escape="\\")


def _refuse_other_type(name: str, value: cursor.Key, dialect: str) -> None:
    expected: tuple[type, ...] = _KEY_TYPES.get(name, (str,))
    if name in _TIMES and dialect != "sqlite":
        expected = (datetime,)
    if not isinstance(value, expected):
        raise cursor.foreign()
