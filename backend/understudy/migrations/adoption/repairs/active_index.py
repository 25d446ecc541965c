"""Ensures the partial unique index that keeps two rows from being active at once."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine.interfaces import ReflectedIndex

from understudy.errors import TableRefused
from understudy.migrations.adoption.table_finding import ADD_ONLY, TABLE, Repair, TableFinding

# SQLite uses a partial index only for a query that spells the condition in the same way, and its queries say 1.
_CREATE_INDEX = {
    "postgresql": "CREATE UNIQUE INDEX ml_models_one_active ON ml_models (is_active) WHERE is_active = TRUE",
    "sqlite": "CREATE UNIQUE INDEX ml_models_one_active ON ml_models (is_active) WHERE is_active = 1",
}


def ensure_unique_index(connection: Connection, repair: Repair | None) -> Iterator[TableFinding]:
    """Ensure the unique index over the active rows.

    Raises TableRefused, when it may repair, for an index that is made for one active row per tenant.
    """
    indexes = inspect(connection).get_indexes(TABLE)
    partial = [index for index in indexes if index["unique"] and _is_active_condition(_get_condition(index))]
    yield from _check_tenants(partial, repair)
    for index in indexes:
        if index["unique"] and index["column_names"] == ["is_active"] and _get_condition(index) is None:
            detail = (
                f"The unique index {index['name']} covers inactive rows too, so that the table can hold only one of"
                " them. Drop it: ml_models needs a unique index on is_active WHERE is_active = TRUE."
            )
            yield TableFinding.from_repair("index_too_strict", detail, repaired=False)
    if any(_covers_all(index) for index in partial):
        return
    statement = _CREATE_INDEX[connection.dialect.name]
    if repair is not None:
        connection.execute(text(statement))
    yield TableFinding.from_repair(
        "index_missing",
        "No unique index kept two rows of ml_models from being active at once.",
        repaired=repair is not None,
        sql=statement,
    )


def refuse_tenant_index(connection: Connection) -> None:
    """Raises TableRefused for an index that is made for one active row per tenant."""
    indexes = inspect(connection).get_indexes(TABLE)
    partial = [index for index in indexes if index["unique"] and _is_active_condition(_get_condition(index))]
    list(_check_tenants(partial, ADD_ONLY))


def _check_tenants(partial: Sequence[ReflectedIndex], repair: Repair | None) -> Iterator[TableFinding]:
    for index in partial:
        if _covers_all(index):
            continue
        others = ", ".join(str(name) for name in index["column_names"] if name not in {"is_active", None})
        error = TableRefused(
            f"The unique index {index['name']} allows one active model for each {others}. Understudy serves one model"
            " and would keep the others from being active. Nothing was changed.",
            remedy=f"If one model is enough, run: DROP INDEX {index['name']}; To serve several at once, give each an"
            " Understudy with a database of its own.",
        )
        if repair is not None:
            raise error
        yield TableFinding.from_refusal(error)


def _covers_all(index: ReflectedIndex) -> bool:
    """True when every active row has the same key: the mark itself, or a constant expression."""
    return all(name in {"is_active", None} for name in index["column_names"])


def _get_condition(index: ReflectedIndex) -> str | None:
    """Return the WHERE of a partial index as the database prints it, or None."""
    options = index.get("dialect_options", {})
    return next((str(value) for name, value in options.items() if name.endswith("_where") and value is not None), None)


def _is_active_condition(condition: str | None) -> bool:
    bare = "".join(character for character in (condition or "").lower() if character not in '()" ')
    return bare in {"is_active", "is_active=true", "is_active=1", "is_activeistrue", "is_activeis1", "true=is_active"}
