"""Reads and writes whole tables, with values that mean the same on SQLite and PostgreSQL."""

import base64
import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Connection, MetaData, Table, func, inspect, select, text

from understudy.errors import BackupInvalid
from understudy.migrations.own_tables import OWN_TABLES
from understudy.migrations.revision import VERSION_TABLE
from understudy.models import Deployment, HistoryHead, MlModel
from understudy.models.base import Base

# What describes one server or one database, and not the models: each is made anew where the backup is restored.
_NOT_SAVED = {
    "understudy_access",
    VERSION_TABLE,
    "understudy_counts",
    "understudy_created",
    "understudy_operations",
    "understudy_predictions",
    "understudy_replicas",
    "understudy_sessions",
}
# Tables of one row, which every database has, and the column that is 0 in a new one.
_COUNTERS = {Deployment.__tablename__: "generation", HistoryHead.__tablename__: "position"}
_BATCH = 500


def list_tables(connection: Connection) -> list[Table]:
    """Return the tables that a backup holds, those that others refer to first."""
    names = [MlModel.__tablename__, *(name for name in reversed(OWN_TABLES) if name not in _NOT_SAVED)]
    present = set(inspect(connection).get_table_names())
    return [_find_table(connection, name) for name in names if name in present]


def read_rows(connection: Connection, table: Table) -> Iterator[dict[str, object]]:
    """Yield the rows in the order of their primary key, as JSON documents."""
    found = connection.execute(select(table).order_by(*table.primary_key.columns))
    for rows in found.mappings().partitions(_BATCH):
        for row in rows:
            yield {name: _to_json(value) for name, value in row.items()}


def count_rows(connection: Connection, table: Table) -> int:
    """Return the number of rows; a row that every database has counts once something was switched or recorded."""
    if (counter := _COUNTERS.get(table.name)) is not None:
        return connection.execute(select(func.count()).where(table.c[counter] > 0)).scalar_one()
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def write_rows(connection: Connection, table: Table, lines: Iterable[bytes]) -> set[str]:
    """Insert rows that `read_rows` gave, in batches; return the names of columns that `table` lacks.

    The rows that every database has replace those that are there. Raises BackupInvalid for a line that is no row.
    """
    missing: set[str] = set()
    if table.name in _COUNTERS:
        connection.execute(table.delete())
    remaining = iter(lines)
    while chunk := list(islice(remaining, _BATCH)):
        rows = [_parse_row(table.name, line) for line in chunk]
        missing.update(*(row.keys() - table.c.keys() for row in rows))
        connection.execute(table.insert(), [{name: row[name] for name in row if name in table.c} for row in rows])
    _continue_sequence(connection, table)
    return missing


def _find_table(connection: Connection, name: str) -> Table:
    """Return a table of ours as this version knows it; `ml_models` with the columns that its users added."""
    if name != MlModel.__tablename__:
        return Base.metadata.tables[name]
    known = [Column(each.name, each.type, primary_key=each.primary_key) for each in MlModel.__table__.columns]
    return Table(name, MetaData(), *known, autoload_with=connection)


def _continue_sequence(connection: Connection, table: Table) -> None:
    """Let PostgreSQL number the next row after the highest that was inserted."""
    if connection.dialect.name != "postgresql":
        return
    for column in table.primary_key.columns:
        named = {"table": table.name, "column": column.name}
        sequence = connection.execute(text("SELECT pg_get_serial_sequence(:table, :column)"), named).scalar()
        highest = connection.execute(select(func.max(column))).scalar() if sequence else None
        if highest is not None:
            connection.execute(text("SELECT setval(:name, :value)"), {"name": sequence, "value": highest})


def _to_json(value: Any) -> object:
    match value:
        case None | bool() | int() | str():
            return value
        case datetime():
            return {"datetime": value.isoformat()}
        case date():
            return {"date": value.isoformat()}
        case time():
            return {"time": value.isoformat()}
        case float():
            return {"float": value.hex()}
        case Decimal():
            return {"decimal": str(value)}
        case UUID():
            return {"uuid": str(value)}
        case bytes() | memoryview():
            return {"bytes": base64.b64encode(bytes(value)).decode()}
        case dict() | list():
            return {"json": value}
    raise BackupInvalid(
        f"A column holds a value of the type {type(value).__name__}, which a backup cannot hold.",
        remedy="Save the database with its own tool, such as pg_dump, and the folder models/ beside it.",
    )


_READERS: dict[str, Any] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "float": float.fromhex,
    "decimal": Decimal,
    "uuid": UUID,
    "bytes": base64.b64decode,
    "json": lambda value: value,
}


def _parse_row(name: str, line: bytes) -> dict[str, Any]:
    try:
        return {column: _from_json(value) for column, value in json.loads(line).items()}
    except (ValueError, ArithmeticError, TypeError, KeyError, AttributeError) as error:
        raise BackupInvalid(f"A row of {name} in the backup cannot be read: {line[:100]!r}.") from error


def _from_json(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    [(kind, content)] = value.items()
    return _READERS[kind](content)
