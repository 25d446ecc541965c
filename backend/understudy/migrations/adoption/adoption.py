"""Adopts an `ml_models` that was made by hand, and repairs one that was changed by hand.

Nothing is dropped, retyped or rewritten. Missing columns, keys and indexes of the document are added. Rows are changed
only where a person asked for it: which of several active rows stays active, and numbers for rows without `model_id`.
"""

from collections.abc import Callable, Iterator

from sqlalchemy import Connection, text

from understudy.migrations.adoption.repairs.accuracy_check import ensure_accuracy_check
from understudy.migrations.adoption.repairs.active_index import ensure_unique_index
from understudy.migrations.adoption.repairs.active_rows import ensure_one_active_row
from understudy.migrations.adoption.repairs.columns import (
    add_missing_columns,
    check_column_types,
    check_required_columns,
)
from understudy.migrations.adoption.repairs.keys import ensure_identity, ensure_model_ids, ensure_unique_names
from understudy.migrations.adoption.repairs.row_count import ensure_row_count
from understudy.migrations.adoption.repairs.sort_indexes import ensure_sort_indexes
from understudy.migrations.adoption.table_finding import ADD_ONLY, AdoptionOutcome, Repair, TableFinding

_Step = Callable[[Connection, Repair | None], Iterator[TableFinding]]

_STEPS: tuple[_Step, ...] = (
    check_required_columns,
    add_missing_columns,
    check_column_types,
    ensure_model_ids,
    ensure_identity,
    ensure_unique_names,
    ensure_one_active_row,
    ensure_unique_index,
    ensure_accuracy_check,
)

# The document does not ask for these, but a large table needs them.
_EQUIPMENT: tuple[_Step, ...] = (ensure_sort_indexes, ensure_row_count)


def examine(connection: Connection) -> tuple[TableFinding, ...]:
    """List the differences from the document; change nothing.

    Raises TableRefused when a required column is missing.
    """
    return tuple(_run_steps(connection, (*_STEPS, *_EQUIPMENT), None))


def list_changes(connection: Connection) -> list[str]:
    """Return the statements that `adopt` would run for the differences that are found first."""
    found = _run_steps(connection, _STEPS, None)
    return [f"{each.sql};" for each in found if each.sql is not None and each.outcome is AdoptionOutcome.OPEN]


def adopt(connection: Connection, repair: Repair) -> tuple[TableFinding, ...]:
    """Repair what can be repaired without losing data.

    Raises TableRefused when the table cannot be adopted, and SeveralActive when `repair` does not say which row stays.
    """
    _lock_against_writers(connection)
    return tuple(_run_steps(connection, _STEPS, repair))


def equip(connection: Connection) -> tuple[TableFinding, ...]:
    """Add missing indexes for sorting and missing triggers for counting."""
    _lock_against_writers(connection)
    return tuple(_run_steps(connection, _EQUIPMENT, ADD_ONLY))


def _lock_against_writers(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE ml_models IN SHARE ROW EXCLUSIVE MODE"))


def _run_steps(connection: Connection, steps: tuple[_Step, ...], repair: Repair | None) -> Iterator[TableFinding]:
    for step in steps:
        findings = list(step(connection, repair))
        yield from findings
        if repair is None and any(finding.code == "column_missing" for finding in findings):
            return
