"""Reads pages of the model list: filtered, sorted, each beginning where the page before ended.

A page begins after a sort key and an id, not after a number of rows: rows that are inserted or deleted between two
pages shift nothing. Every order walks an index, so that a page costs the same at any size of table and any depth.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import ColumnElement, Integer, Select, Text, cast, func, literal, or_, select, tuple_, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from understudy.models import FileRecord, MlModel, ModelCount
from understudy.registry.database import page_cursor
from understudy.registry.models.table.row_view import RECORD_COLUMNS
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
_MOST_TYPES = 500
_NEVER_NULL = {"id", "name"}
_TIMES = {"created_at", "updated_at"}
_KEY = "sort_key"
_KEY_TYPES: dict[str, tuple[type, ...]] = {"id": (int,), "accuracy": (float,)}


@dataclass(frozen=True)
class Page:
    """A page; each row has the columns of `ml_models` and those of its file record in `RECORD_COLUMNS`."""

    rows: list[dict[str, Any]]
    next_cursor: str | None
    total: int


async def read_page(session: AsyncSession, query: ModelQuery) -> Page:
    """Return the page that `query` asks for; raises RequestInvalid for a cursor of another sort order."""
    order = _SortOrder.from_query(query, session.get_bind().dialect.name)
    filters = _build_filters(query, order.dialect)
    connection = await session.connection()
    found: list[dict[str, Any]] = []
    for part in order.select_parts(query):
        if (missing := query.limit + 1 - len(found)) > 0:
            statement = _join_records(part.where(*filters).limit(missing), order)
            result = await connection.execute(statement)
            names = tuple(result.keys())
            found += [dict(zip(names, row, strict=True)) for row in result]
    kept = found[: query.limit]
    more = len(found) > query.limit
    return Page(
        rows=kept,
        next_cursor=page_cursor.encode(query.sort, kept[-1][_KEY], kept[-1]["model_id"]) if more else None,
        total=await _count(session, filters),
    )


async def read_types(session: AsyncSession) -> list[str]:
    """Return the types that models have, sorted, without empty ones; at most `_MOST_TYPES`."""
    kind = MlModel.model_type.expression
    # The column may be an enum, which has another order than its words.
    found = await session.scalars(select(kind).where(kind.is_not(None)).distinct().limit(_MOST_TYPES))
    return sorted(str(each) for each in found if str(each) != "")


def _join_records(models: Select[Any], order: "_SortOrder") -> Select[Any]:
    """Join the page with its records. The limit is inside the subquery: else PostgreSQL joins all records first."""
    page = models.subquery("page")
    record = FileRecord.__table__.c
    same_file = (record.model_id == page.c.model_id) & (record.file_path == page.c.file_path)
    return (
        select(page, *(record[name] for name in RECORD_COLUMNS))
        .select_from(page.outerjoin(FileRecord.__table__, same_file))
        .order_by(*order.sort_columns(page.c[_KEY], page.c.model_id))
    )


async def _count(session: AsyncSession, filters: list[ColumnElement[bool]]) -> int:
    """Return the exact number of matches: with filters it is counted, without it is the number that triggers keep."""
    kept = select(func.sum(ModelCount.models))
    counted = select(func.count()).select_from(MlModel).where(*filters)
    return int(await session.scalar(counted if filters else kept) or 0)


@dataclass(frozen=True)
class _SortOrder:
    """A sort order, in parts that each walk an index.

    Rows without a value come last in both directions. No index holds them there for both, so they are a separate part.
    """

    name: str
    descending: bool
    key: ColumnElement[Any]
    dialect: str

    @classmethod
    def from_query(cls, query: ModelQuery, dialect: str) -> Self:
        name = query.sort.removeprefix("-")
        column: ColumnElement[Any] = _COLUMNS[name].expression
        # SQLite holds times as text, and rows inserted by hand spell them in other ways.
        key = type_coerce(column, Text) if name in _TIMES and dialect == "sqlite" else column
        return cls(name, query.sort.startswith("-"), key, dialect)

    def select_parts(self, query: ModelQuery) -> Iterator[Select[Any]]:
        """Yield the queries for the rest of the list after the query's cursor, in their order."""
        after = None
        if query.cursor is not None:
            after = page_cursor.decode(query.cursor, query.sort, largest_id=LARGEST_ID)
        rows = select(*MlModel.__table__.c, self.key.label(_KEY)).order_by(
            *self.sort_columns(self.key, MlModel.model_id)
        )
        if self.name == "id":
            yield rows if after is None else rows.where(self._is_after(MlModel.model_id, after[1]))
            return
        at_end = after is not None and after[0] is None
        if not at_end:
            with_value = rows if self.name in _NEVER_NULL else rows.where(self.key.is_not(None))
            if after is not None:
                _refuse_other_type(self.name, after[0], self.dialect)
                place = tuple_(literal(after[0], self.key.type), literal(after[1], Integer))
                with_value = with_value.where(self._is_after(tuple_(self.key, MlModel.model_id), place))
            yield with_value
        if self.name not in _NEVER_NULL:
            without_value = rows.where(self.key.is_(None))
            if after is not None and at_end:
                without_value = without_value.where(self._is_after(MlModel.model_id, after[1]))
            yield without_value

    def sort_columns(self, key: ColumnElement[Any], model_id: Any) -> tuple[ColumnElement[Any], ...]:
        columns = (model_id,) if self.name == "id" else (key, model_id)
        return tuple(column.desc() if self.descending else column.asc() for column in columns)

    def _is_after(self, column: Any, place: Any) -> ColumnElement[bool]:
        condition: ColumnElement[bool] = column < place if self.descending else column > place
        return condition


def _build_filters(query: ModelQuery, dialect: str) -> list[ColumnElement[bool]]:
    filters: list[ColumnElement[bool]] = []
    if query.type is not None:
        kind: ColumnElement[Any] = MlModel.model_type.expression
        # The column may be an enum that lacks the word, which PostgreSQL would answer with an error.
        filters.append((kind if dialect == "sqlite" else cast(kind, Text)) == query.type)
    if query.q:
        filters.append(or_(*(_contains(column, query.q, dialect) for column in _SEARCHED)))
    return filters


def _contains(
    column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None], text: str, dialect: str
) -> ColumnElement[bool]:
    if dialect != "sqlite":
        return cast(column, Text).icontains(text, autoescape=True)
    # SQLite's LIKE ignores case for ASCII letters only.
    folded = column if text.isascii() else func.unicode_lower(column)
    escaped = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return folded.like(f"%{escaped}%", escape="\\")


def _refuse_other_type(name: str, value: page_cursor.Key, dialect: str) -> None:
    expected: tuple[type, ...] = _KEY_TYPES.get(name, (str,))
    if name in _TIMES and dialect != "sqlite":
        expected = (datetime,)
    if not isinstance(value, expected):
        raise page_cursor.build_refusal()
