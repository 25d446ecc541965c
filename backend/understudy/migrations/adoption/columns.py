"""The documented columns against the ones that are there."""

from collections.abc import Iterator

from sqlalchemy import Connection, inspect, text

from understudy.errors import Misconfigured
from understudy.migrations.adoption.table_finding import TABLE, AdoptionOutcome, TableFinding

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

_SAME_TYPE = {"INT": "INTEGER", "SERIAL": "INTEGER", "DECIMAL(5,4)": "NUMERIC(5,4)", "DATETIME": "TIMESTAMP"}


def _present(connection: Connection) -> dict[str, str]:
    """Column name to type as the database writes it, without spaces inside brackets."""
    columns = inspect(connection).get_columns(TABLE)
    return {
        column["name"]: column["type"]
        .compile(connection.dialect)
        .upper()
        .replace(", ", ",")
        .replace(" WITHOUT TIME ZONE", "")
        for column in columns
    }


def check_required_columns(connection: Connection, repair: bool) -> Iterator[TableFinding]:  # noqa: ARG001
    missing = [name for name in _REQUIRED if name not in _present(connection)]
    if missing:
        raise Misconfigured(
            f"The table ml_models of this database is not the documented one: it lacks {', '.join(missing)}.",
            remedy="Rename that table or its columns, or point DATABASE_URL at another database or schema.",
        )
    yield from ()


def add_missing_columns(connection: Connection, repair: bool) -> Iterator[TableFinding]:
    present = _present(connection)
    for name, statement in _ADDABLE.items():
        if name not in present:
            if repair:
                connection.execute(text(statement))
            yield TableFinding.of("column_missing", f"ml_models had no column {name}.", repaired=repair)


def check_column_types(connection: Connection, repair: bool) -> Iterator[TableFinding]:  # noqa: ARG001
    for name, found in _present(connection).items():
        documented = _DOCUMENTED.get(name)
        if documented is None:
            yield TableFinding("column_extra", f"ml_models has a column {name} of its own.", AdoptionOutcome.NOTED)
        elif _SAME_TYPE.get(found, found) != documented:
            detail = f"ml_models.{name} is {found}, the document says {documented}."
            yield TableFinding("column_type", detail, AdoptionOutcome.NOTED)
