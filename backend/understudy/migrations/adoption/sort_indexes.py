"""One index a column that the list is sorted by, so that a page costs the same at any size of table."""

from collections.abc import Iterator

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from understudy.migrations.adoption.table_finding import TABLE, AdoptionOutcome, TableFinding

# `name` has its unique index, `id` its key. Rows that compare equal follow each other by model_id.
_SORTED = ("created_at", "updated_at", "accuracy", "version", "model_type")


def ensure_sort_indexes(connection: Connection, repair: bool) -> Iterator[TableFinding]:
    """A column of a type that cannot be indexed stays without; sorting by it then reads the whole table."""
    present = {index["name"] for index in inspect(connection).get_indexes(TABLE)}
    for column in _SORTED:
        name = f"ml_models_{column}_model_id_idx"
        if name in present:
            continue
        if repair:
            try:
                with connection.begin_nested():
                    connection.execute(text(f"CREATE INDEX {name} ON ml_models ({column}, model_id)"))
            except DBAPIError as error:
                reason = str(error.orig).strip().partition("\n")[0]
                yield TableFinding(
                    "sort_unindexed", f"ml_models.{column} cannot be indexed: {reason}.", AdoptionOutcome.NOTED
                )
                continue
        yield TableFinding.of("sort_unindexed", f"Sorting models by {column} read the whole table.", repaired=repair)
