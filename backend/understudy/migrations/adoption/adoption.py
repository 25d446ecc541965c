"""Adopts an `ml_models` that was made by hand, and repairs one that was changed by hand.

Nothing is dropped, retyped or rewritten. What the document asks for and the table lacks is added. Of several active
rows the one updated last stays active (rows without `updated_at` count as oldest; of equals the highest `model_id`),
because only one may remain when the unique index is made; the others are deactivated and stay in the table.
"""

from collections.abc import Callable, Iterator

from sqlalchemy import Connection, text

from understudy.migrations.adoption.accuracy_check import accuracy_check
from understudy.migrations.adoption.active_rows import one_active_row, unique_index
from understudy.migrations.adoption.columns import missing_columns, required_columns, types_as_documented
from understudy.migrations.adoption.keys import identity, model_ids, unique_names
from understudy.migrations.adoption.row_count import kept_count
from understudy.migrations.adoption.sort_indexes import sort_indexes
from understudy.migrations.adoption.table_finding import Finding

_Step = Callable[[Connection, bool], Iterator[Finding]]

_STEPS: tuple[_Step, ...] = (
    required_columns,
    missing_columns,
    types_as_documented,
    model_ids,
    identity,
    unique_names,
    one_active_row,
    unique_index,
    accuracy_check,
)

# What the document does not ask for, and a table of any size needs.
_EQUIPMENT: tuple[_Step, ...] = (sort_indexes, kept_count)


def examine(connection: Connection) -> tuple[Finding, ...]:
    """What differs from the document; changes nothing. Raises Misconfigured when required columns are missing."""
    return tuple(_walk(connection, (*_STEPS, *_EQUIPMENT), repair=False))


def adopt(connection: Connection) -> tuple[Finding, ...]:
    """Repair what can be repaired without loss. Raises Misconfigured when the table is beyond that."""
    _keep_writers_out(connection)
    return tuple(_walk(connection, _STEPS, repair=True))


def equip(connection: Connection) -> tuple[Finding, ...]:
    """Add the indexes for sorting and the triggers that count, where they are missing."""
    _keep_writers_out(connection)
    return tuple(_walk(connection, _EQUIPMENT, repair=True))


def _keep_writers_out(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE ml_models IN SHARE ROW EXCLUSIVE MODE"))


def _walk(connection: Connection, steps: tuple[_Step, ...], *, repair: bool) -> Iterator[Finding]:
    for step in steps:
        findings = list(step(connection, repair))
        yield from findings
        if not repair and any(finding.code == "column_missing" for finding in findings):
            return
