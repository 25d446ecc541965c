"""Ensures at most one active row, by a partial unique index."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from sqlalchemy import (
    TIMESTAMP,
    Boolean,
    Connection,
    Integer,
    Row,
    String,
    Text,
    column,
    insert,
    inspect,
    select,
    table,
    text,
    true,
    update,
)
from sqlalchemy.engine.interfaces import ReflectedIndex

from understudy.migrations.adoption.table_finding import TABLE, TableFinding

_MODELS = table(
    TABLE,
    column("model_id", Integer),
    column("model_name", String),
    column("version", String),
    column("updated_at"),
    column("is_active", Boolean),
)

_HISTORY = table(
    "understudy_history",
    column("at", TIMESTAMP),
    column("event", String),
    column("model_id", Integer),
    column("model_name", String),
    column("version", String),
    column("actor", String),
    column("detail", Text),
)

# SQLite uses a partial index only for a query that spells the condition in the same way, and its queries say 1.
_CREATE_INDEX = {
    "postgresql": "CREATE UNIQUE INDEX ml_models_one_active ON ml_models (is_active) WHERE is_active = TRUE",
    "sqlite": "CREATE UNIQUE INDEX ml_models_one_active ON ml_models (is_active) WHERE is_active = 1",
}


def ensure_one_active_row(connection: Connection, repair: bool) -> Iterator[TableFinding]:
    """Keep one active row: the one updated last."""
    active = connection.execute(
        select(_MODELS.c.model_id, _MODELS.c.model_name, _MODELS.c.version)
        .where(_MODELS.c.is_active == true())
        .order_by(_MODELS.c.updated_at.desc().nulls_last(), _MODELS.c.model_id.desc())
    ).all()
    if len(active) < 2:
        return
    if repair:
        _deactivate_others(connection, active)
    kept, *others = active
    detail = (
        f"{len(active)} models were active at once. Model {kept.model_id} ({kept.model_name}), updated last, stays"
        f" active; to be inactive: {', '.join(str(row.model_id) for row in others)}."
    )
    yield TableFinding.from_repair("several_active", detail, repaired=repair)


def _deactivate_others(connection: Connection, active: Sequence[Row[int, str, str]]) -> None:
    """Deactivate every row of `active` but the first, and write all of them to the history."""
    kept = active[0]
    connection.execute(
        update(_MODELS)
        .where(_MODELS.c.is_active == true(), _MODELS.c.model_id != kept.model_id)
        .values(is_active=False)
    )
    now = datetime.now(UTC).replace(tzinfo=None)
    connection.execute(
        insert(_HISTORY),
        [
            {
                "at": now,
                "event": "repaired",
                "model_id": row.model_id,
                "model_name": row.model_name,
                "version": row.version,
                "actor": "database",
                "detail": f"{len(active)} models were active at once; model {kept.model_id}, updated last, stays.",
            }
            for row in active
        ],
    )


def ensure_unique_index(connection: Connection, repair: bool) -> Iterator[TableFinding]:
    """Ensure the unique index over the active rows."""
    indexes = inspect(connection).get_indexes(TABLE)
    for index in indexes:
        if index["unique"] and index["column_names"] == ["is_active"] and _get_condition(index) is None:
            detail = (
                f"The unique index {index['name']} covers inactive rows too, so that the table can hold only one of"
                " them. Drop it: ml_models needs a unique index on is_active WHERE is_active = TRUE."
            )
            yield TableFinding.from_repair("index_too_strict", detail, repaired=False)
    if any(index["unique"] and _is_active_condition(_get_condition(index)) for index in indexes):
        return
    if repair:
        connection.execute(text(_CREATE_INDEX[connection.dialect.name]))
    yield TableFinding.from_repair(
        "index_missing", "No unique index kept two rows of ml_models from being active at once.", repaired=repair
    )


def _get_condition(index: ReflectedIndex) -> str | None:
    """Return the WHERE of a partial index as the database prints it, or None."""
    options = index.get("dialect_options", {})
    return next((str(value) for name, value in options.items() if name.endswith("_where") and value is not None), None)


def _is_active_condition(condition: str | None) -> bool:
    bare = "".join(character for character in (condition or "").lower() if character not in '()" ')
    return bare in {"is_active", "is_active=true", "is_active=1", "is_activeistrue", "is_activeis1", "true=is_active"}
