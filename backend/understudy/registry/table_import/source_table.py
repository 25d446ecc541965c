"""Reads the foreign table. Its names are quoted by SQLAlchemy and its values are read as the driver gives them."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnClause, Connection, Select, column, func, inspect, select, table
from sqlalchemy.engine import Inspector
from sqlalchemy.sql.elements import quoted_name

from understudy.errors import RequestInvalid
from understudy.migrations.adoption.table_finding import TABLE
from understudy.migrations.own_tables import OWN_TABLES
from understudy.registry.table_import.column_map import ColumnMap, complete_map

_LONGEST_NAME = 200


@dataclass(frozen=True)
class SourceRow:
    """A row with its key, which is a JSON array of texts; `key` is None for a row without one."""

    key: str | None
    values: dict[str, Any]

    @property
    def label(self) -> str:
        """The key as people write it."""
        return "without key" if self.key is None else ", ".join(json.loads(self.key))


@dataclass(frozen=True)
class SourceTable:
    """A foreign table or view: its name with its schema, its columns, and those that tell its rows apart."""

    name: str
    schema: str | None
    bare_name: str
    columns: tuple[str, ...]
    key_columns: tuple[str, ...]
    columns_map: ColumnMap

    def read_rows(self, connection: Connection) -> list[SourceRow]:
        """Return every row in the order of the key."""
        source = table(
            quoted_name(self.bare_name, quote=True),
            schema=None if self.schema is None else quoted_name(self.schema, quote=True),
        )
        query: Select[Any] = select(*map(_quote, self.columns)).select_from(source)
        found = connection.execute(query.order_by(*map(_quote, self.key_columns)))
        rows = [dict(zip(self.columns, row, strict=True)) for row in found]
        return [SourceRow(self._build_key(values), values) for values in rows]

    def _build_key(self, values: dict[str, Any]) -> str | None:
        parts = [values[name] for name in self.key_columns]
        return None if None in parts else json.dumps([str(part) for part in parts], ensure_ascii=False)


def _quote(name: str) -> ColumnClause[Any]:
    return column(quoted_name(name, quote=True))


def find_source(connection: Connection, name: str, given: dict[str, tuple[str, ...]]) -> SourceTable:
    """Find the table or view `name`, which may be written with its schema, and complete the map of its columns.

    Raises RequestInvalid for a table that does not exist or is Understudy's, and for one whose rows have no key.
    """
    inspector = inspect(connection)
    schema, bare = _find_name(inspector, name)
    if bare in (*OWN_TABLES, TABLE) and schema in (None, inspector.default_schema_name):
        remedy = "`understudy migrate` adopts ml_models as it is; --from is for a table with other columns."
        raise RequestInvalid(f"{name} is Understudy's own table.", remedy=remedy)
    columns = tuple(each["name"] for each in inspector.get_columns(bare, schema=schema))
    columns_map = complete_map(given, columns)
    key = tuple(inspector.get_pk_constraint(bare, schema=schema)["constrained_columns"])
    if not key and (mapped := columns_map.get("model_id")) is not None:
        key = (mapped,)
    if not key:
        raise RequestInvalid(
            f"{name} has no primary key, so its rows cannot be recognized when the command is repeated.",
            remedy=f"Name the column that tells them apart: --map model_id=COLUMN. It has {', '.join(columns)}.",
        )
    full = ".".join(part for part in (schema or _get_schema(connection, inspector), bare) if part)
    if len(full) > _LONGEST_NAME:
        raise RequestInvalid(f"The name {full} is longer than {_LONGEST_NAME} characters.")
    return SourceTable(full, schema, bare, columns, key, columns_map)


def _find_name(inspector: Inspector, name: str) -> tuple[str | None, str]:
    """Split `name` into schema and table; a table whose own name contains the dot wins."""
    if inspector.has_table(name):
        return None, name
    schema, dot, bare = name.partition(".")
    if dot and schema in inspector.get_schema_names() and inspector.has_table(bare, schema=schema):
        return schema, bare
    own = {*OWN_TABLES, TABLE}
    there = sorted({*inspector.get_table_names(), *inspector.get_view_names()} - own)
    raise RequestInvalid(
        f"There is no table {name!r}.",
        remedy=f"Tables here: {', '.join(there) or 'none'}. A table of another schema is written SCHEMA.TABLE.",
    )


def _get_schema(connection: Connection, inspector: Inspector) -> str | None:
    """Return the schema in which a name without one is found, so that both spellings mean the same table."""
    if connection.dialect.name != "postgresql":
        return inspector.default_schema_name
    return connection.execute(select(func.current_schema())).scalar_one_or_none()
