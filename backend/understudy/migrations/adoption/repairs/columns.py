"""Compares the columns of the table with the documented ones."""

import re
from collections.abc import Iterator

from sqlalchemy import Connection, inspect, text

from understudy.errors import TableRefused
from understudy.migrations.adoption.column_suitability import read_columns
from understudy.migrations.adoption.table_finding import TABLE, AdoptionOutcome, Repair, TableFinding

_REQUIRED = ("model_id", "model_name", "file_path")

_ADDABLE = {
    "version": "ALTER TABLE ml_models ADD COLUMN version VARCHAR(50)",
    "description": "ALTER TABLE ml_models ADD COLUMN description TEXT",
    "model_type": "ALTER TABLE ml_models ADD COLUMN model_type VARCHAR(100)",
    "accuracy": "ALTER TABLE ml_models ADD COLUMN accuracy DECIMAL(5, 4)",
    "created_at": "ALTER TABLE ml_models ADD COLUMN created_at TIMESTAMP",
    "updated_at": "ALTER TABLE ml_models ADD COLUMN updated_at TIMESTAMP",
    "is_active": "ALTER TABLE ml_models ADD COLUMN is_active BOOLEAN DEFAULT FALSE",
    "created_by_user_id": "ALTER TABLE ml_models ADD COLUMN created_by_user_id INT",
}

_DOCUMENTED = {
    "model_id": "INTEGER",
    "model_name": "VARCHAR(255)",
    "version": "VARCHAR(50)",
    "file_path": "VARCHAR(500)",
    "description": "TEXT",
    "model_type": "VARCHAR(100)",
    "accuracy": "NUMERIC(5,4)",
    "created_at": "TIMESTAMP",
    "updated_at": "TIMESTAMP",
    "is_active": "BOOLEAN",
    "created_by_user_id": "INTEGER",
}

_INTEGER = re.compile("(SMALL|BIG)?INT")
_SAME_TYPE = {"INT": "INTEGER", "SERIAL": "INTEGER", "DECIMAL(5,4)": "NUMERIC(5,4)", "DATETIME": "TIMESTAMP"}
_SQLITE_TYPES = text("SELECT name, type FROM pragma_table_xinfo('ml_models') WHERE hidden <> 1")


def read_types(connection: Connection) -> dict[str, str]:
    """Return the type of each column by its name, as the document spells types where it has the same one.

    The catalog is read, and not SQLAlchemy's reflection, which does not know every type of every extension.
    """
    if connection.dialect.name == "postgresql":
        found = [(each.name, each.spelled) for each in read_columns(connection)]
    else:
        found = [(name, spelled) for name, spelled in connection.execute(_SQLITE_TYPES)]
    return {name: _spell(spelled) for name, spelled in found}


def _spell(written: str) -> str:
    spelled = written.upper().replace(", ", ",").replace("CHARACTER VARYING", "VARCHAR")
    spelled = spelled.replace(" WITHOUT TIME ZONE", "")
    return _SAME_TYPE.get(spelled, spelled) or "of no type"


def check_required_columns(connection: Connection, repair: Repair | None) -> Iterator[TableFinding]:  # noqa: ARG001
    """Run `refuse_missing_columns` as a step that finds nothing."""
    refuse_missing_columns(connection)
    yield from ()


def refuse_missing_columns(connection: Connection) -> None:
    """Raises TableRefused when the table exists and lacks a column without which no model can be served."""
    if not inspect(connection).has_table(TABLE):
        return
    missing = [name for name in _REQUIRED if name not in read_types(connection)]
    if missing:
        raise TableRefused(
            f"The table ml_models of this database is not the documented one: it lacks {', '.join(missing)}.",
            remedy="Rename its columns (ALTER TABLE ml_models RENAME COLUMN id TO model_id;), or rename that table, or"
            " point DATABASE_URL at another database or schema.",
        )


def add_missing_columns(connection: Connection, repair: Repair | None) -> Iterator[TableFinding]:
    """Add the documented columns that are missing."""
    present = read_types(connection)
    for name, statement in _ADDABLE.items():
        if name not in present:
            if repair is not None:
                connection.execute(text(statement))
            yield TableFinding.from_repair(
                "column_missing", f"ml_models had no column {name}.", repaired=repair is not None, sql=statement
            )


def check_column_types(connection: Connection, repair: Repair | None) -> Iterator[TableFinding]:  # noqa: ARG001
    """Note columns of another type and columns that the document does not have."""
    for name, found in read_types(connection).items():
        documented = _DOCUMENTED.get(name)
        if documented is None:
            yield TableFinding("column_extra", f"ml_models has the undocumented column {name}.", AdoptionOutcome.NOTED)
        elif found != documented:
            detail = f"ml_models.{name} is {found}, the document says {documented}."
            if name == "created_by_user_id" and not _INTEGER.match(found):
                detail += " The API shows it as null, and Understudy never writes it."
            yield TableFinding("column_type", detail, AdoptionOutcome.NOTED)
