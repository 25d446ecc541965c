"""Ensures an index for each sort order of the list, so that a page costs the same at any size of table."""

from collections.abc import Iterator

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from understudy.migrations.adoption.relation import Relation
from understudy.migrations.adoption.table_finding import TABLE, AdoptionOutcome, Repair, TableFinding

# Sorting by name uses its unique index, by id the primary key. Rows with equal values follow in order of model_id.
_SORTED = ("created_at", "updated_at", "accuracy", "version", "model_type")


def ensure_sort_indexes(connection: Connection, repair: Repair | None) -> Iterator[TableFinding]:
    """Add missing indexes. A column whose type cannot be indexed has none: sorting by it reads the whole table."""
    present = {index["name"] for index in inspect(connection).get_indexes(TABLE)}
    unindexable = _list_unindexable(connection)
    for column in _SORTED:
        name = f"ml_models_{column}_model_id_idx"
        if name in present:
            continue
        if column in unindexable:
            detail = f"ml_models.{column} is not indexed: {unindexable[column]}. Sorting by it reads the whole table."
            yield TableFinding("sort_unindexed", detail, AdoptionOutcome.NOTED)
            continue
        if repair is not None:
            try:
                with connection.begin_nested():
                    connection.execute(text(f"CREATE INDEX {name} ON ml_models ({column}, model_id)"))
            except DBAPIError as error:
                reason = str(error.orig).strip().partition("\n")[0]
                yield TableFinding(
                    "sort_unindexed", f"ml_models.{column} cannot be indexed: {reason}.", AdoptionOutcome.NOTED
                )
                continue
        yield TableFinding.from_repair(
            "sort_unindexed", f"No index served sorting by {column}.", repaired=repair is not None
        )


def _list_unindexable(connection: Connection) -> dict[str, str]:
    """Return the columns that our role cannot index on PostgreSQL, each with the reason."""
    if connection.dialect.name != "postgresql" or (relation := Relation.find(connection)) is None or relation.owned:
        return {}
    return dict.fromkeys(_SORTED, f"the table belongs to {relation.owner}")
