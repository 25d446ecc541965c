"""Adopts an `ml_models` that was made by hand, and repairs one that was changed by hand.

Nothing is dropped, retyped or rewritten. Missing columns, keys and indexes of the document are added. Of several active
rows the one updated last stays active: rows without `updated_at` count as the oldest, and of equal times the highest
`model_id` counts. The unique index allows only one; the others are deactivated and stay in the table.
"""

from collections.abc import Callable, Iterator

from sqlalchemy import Connection, text

from understudy.migrations.adoption.accuracy_check import ensure_accuracy_check
from understudy.migrations.adoption.active_rows import ensure_one_active_row, ensure_unique_index
from understudy.migrations.adoption.columns import add_missing_columns, check_column_types, check_required_columns
from understudy.migrations.adoption.keys import ensure_identity, ensure_model_ids, ensure_unique_names
from understudy.migrations.adoption.row_count import ensure_row_count
from understudy.migrations.adoption.sort_indexes import ensure_sort_indexes
from understudy.migrations.adoption.table_finding import TableFinding

_Step = Callable[[Connection, bool], Iterator[TableFinding]]

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

    Raises Misconfigured when a required column is missing.
    """
    return tuple(_run_steps(connection, (*_STEPS, *_EQUIPMENT), repair=False))


def adopt(connection: Connection) -> tuple[TableFinding, ...]:
    """Repair what can be repaired without losing data. Raises Misconfigured when the table cannot be adopted."""
    _lock_against_writers(connection)
    return tuple(_run_steps(connection, _STEPS, repair=True))


def equip(connection: Connection) -> tuple[TableFinding, ...]:
    """Add missing indexes for sorting and missing triggers for counting."""
    _lock_against_writers(connection)
    return tuple(_run_steps(connection, _EQUIPMENT, repair=True))


def _lock_against_writers(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE ml_models IN SHARE ROW EXCLUSIVE MODE"))


def _run_steps(connection: Connection, steps: tuple[_Step, ...], *, repair: bool) -> Iterator[TableFinding]:
    for step in steps:
        findings = list(step(connection, repair))
        yield from findings
        if not repair and any(finding.code == "column_missing" for finding in findings):
            return
