"""Adopts an `ml_models` that was made by hand, and repairs one that was changed by hand.

Nothing is dropped, retyped or rewritten. What the document asks for and the table lacks is added. Of several active
rows the one updated last stays active (rows without `updated_at` count as oldest; of equals the highest `model_id`),
because only one may remain when the unique index is made; the others are deactivated and stay in the table.
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

# What the document does not ask for, and a table of any size needs.
_EQUIPMENT: tuple[_Step, ...] = (ensure_sort_indexes, ensure_row_count)


def examine(connection: Connection) -> tuple[TableFinding, ...]:
    """What differs from the document; changes nothing. Raises Misconfigured when required columns are missing."""
    return tuple(_walk(connection, (*_STEPS, *_EQUIPMENT), repair=False))


def adopt(connection: Connection) -> tuple[TableFinding, ...]:
    """Repair what can be repaired without loss. Raises Misconfigured when the table is beyond that."""
    _keep_writers_out(connection)
    return tuple(_walk(connection, _STEPS, repair=True))


def equip(connection: Connection) -> tuple[TableFinding, ...]:
    """Add the indexes for sorting and the triggers that count, where they are missing."""
    _keep_writers_out(connection)
    return tuple(_walk(connection, _EQUIPMENT, repair=True))


def _keep_writers_out(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE ml_models IN SHARE ROW EXCLUSIVE MODE"))


def _walk(connection: Connection, steps: tuple[_Step, ...], *, repair: bool) -> Iterator[TableFinding]:
    for step in steps:
        findings = list(step(connection, repair))
        yield from findings
        if not repair and any(finding.code == "column_missing" for finding in findings):
            return
