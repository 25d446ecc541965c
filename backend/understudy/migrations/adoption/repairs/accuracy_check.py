"""Ensures the constraint on `accuracy`."""

from collections.abc import Iterator

from sqlalchemy import Connection, inspect, text

from understudy.migrations.adoption.column_suitability import read_columns
from understudy.migrations.adoption.table_finding import TABLE, AdoptionOutcome, Repair, TableFinding

_ADD = "ALTER TABLE ml_models ADD CONSTRAINT ml_models_accuracy_check CHECK (accuracy >= 0 AND accuracy <= 1)"


def _is_number(connection: Connection) -> bool:
    """True unless PostgreSQL cannot compare the column with a number."""
    if connection.dialect.name != "postgresql":
        return True
    return any(each.name == "accuracy" and each.category == "N" for each in read_columns(connection))


def ensure_accuracy_check(connection: Connection, repair: Repair | None) -> Iterator[TableFinding]:
    """Ensure that PostgreSQL keeps `accuracy` between 0 and 1.

    SQLite cannot add a constraint to an existing table; there only the registry validates the value.
    """
    if not _is_number(connection):
        return
    outside = connection.execute(text("SELECT count(*) FROM ml_models WHERE accuracy < 0 OR accuracy > 1")).scalar_one()
    if outside:
        detail = f"{outside} rows have an accuracy outside 0 to 1; they are kept as they are."
        yield TableFinding("accuracy_outside", detail, AdoptionOutcome.NOTED)
        return
    if connection.dialect.name != "postgresql":
        return
    if any("accuracy" in check["sqltext"] for check in inspect(connection).get_check_constraints(TABLE)):
        return
    if repair is not None:
        connection.execute(text(_ADD))
    yield TableFinding.from_repair(
        "accuracy_unchecked", "No constraint kept accuracy between 0 and 1.", repaired=repair is not None, sql=_ADD
    )
