"""Pages of the model list: filters, sorting, and continuing where the page before ended.

Pages continue after a sort key and id, not after a count, so that rows that come or go in between shift nothing, and
the default order (by id) walks the primary key at any size of table.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, func, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from app.models import MlModel
from app.registry import cursor as cursors
from app.registry.rows import LARGEST_ID, Row, with_records
from app.schemas.query import ModelQuery

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
_KEY_TYPES: dict[str, tuple[type, ...]] = {"id": (int,), "accuracy": (float,)}


@dataclass(frozen=True)
class Page:
    rows: list[Row]
    next_cursor: str | None
    total: int


async def page(session: AsyncSession, query: ModelQuery) -> Page:
    """Raises RequestInvalid for a cursor that does not belong to this sort order."""
    dialect = session.get_bind().dialect.name
    filters = _filters(query, dialect)
    name, falling = query.sort.removeprefix("-"), query.sort.startswith("-")
    key = _key(name, dialect)
    wanted: Select[Any] = with_records().add_columns(key.label("sort_key")).where(*filters).limit(query.limit + 1)
    if query.cursor is not None:
        wanted = wanted.where(_after(query, name, key, dialect, falling=falling))
    ordered = key.desc() if falling else key.asc()
    if name not in _NEVER_NULL:
        ordered = ordered.nulls_last()
    ties = MlModel.model_id.desc() if falling else MlModel.model_id.asc()
    found = (await session.execute(wanted.order_by(ordered, ties) if name != "id" else wanted.order_by(ordered))).all()
    shown = found[: query.limit]
    more = len(found) > query.limit
    total = await session.scalar(select(func.count()).select_from(MlModel).where(*filters))
    return Page(
        rows=[Row(model, record) for model, record, _ in shown],
        next_cursor=cursors.encode(query.sort, shown[-1].sort_key, shown[-1][0].model_id) if more else None,
        total=total or 0,
    )


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


def _key(name: str, dialect: str) -> ColumnElement[Any]:
    """The value that is sorted by. SQLite holds times as text, in several spellings once people insert rows."""
    column: ColumnElement[Any] = _COLUMNS[name].expression
    return type_coerce(column, Text) if name in _TIMES and dialect == "sqlite" else column


def _after(
    query: ModelQuery, name: str, key: ColumnElement[Any], dialect: str, *, falling: bool
) -> ColumnElement[bool]:
    value, model_id = cursors.decode(query.cursor or "", query.sort, largest_id=LARGEST_ID)
    later = MlModel.model_id < model_id if falling else MlModel.model_id > model_id
    if name == "id":
        return later
    if value is None:
        return and_(key.is_(None), later)
    _refuse_other_type(name, value, dialect)
    beyond = or_(key < value if falling else key > value, and_(key == value, later))
    return beyond if name in _NEVER_NULL else or_(beyond, key.is_(None))


def _refuse_other_type(name: str, value: cursors.Key, dialect: str) -> None:
    expected: tuple[type, ...] = _KEY_TYPES.get(name, (str,))
    if name in _TIMES and dialect != "sqlite":
        expected = (datetime,)
    if not isinstance(value, expected):
        raise cursors.foreign()
