"""At most one active row, held by a partial unique index."""

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

# SQLite takes an index for a query only where both spell the condition alike, and queries say 1 there.
_CREATE_INDEX = {
    "postgresql": "CREATE UNIQUE INDEX ml_models_one_active ON ml_models (is_active) WHERE is_active = TRUE",
    "sqlite": "CREATE UNIQUE INDEX ml_models_one_active ON ml_models (is_active) WHERE is_active = 1",
}


def ensure_one_active_row(connection: Connection, repair: bool) -> Iterator[TableFinding]:
    active = connection.execute(
        select(_MODELS.c.model_id, _MODELS.c.model_name, _MODELS.c.version)
        .where(_MODELS.c.is_active == true())
        .order_by(_MODELS.c.updated_at.desc().nulls_last(), _MODELS.c.model_id.desc())
    ).all()
    if len(active) < 2:
        return
    if repair:
        _keep_first(connection, active)
    kept, *others = active
    detail = (
        f"{len(active)} models were active at once. Model {kept.model_id} ({kept.model_name}), updated last, stays"
        f" active; to be inactive: {', '.join(str(row.model_id) for row in others)}."
    )
    yield TableFinding.of("several_active", detail, repaired=repair)


def _keep_first(connection: Connection, active: Sequence[Row[int, str, str]]) -> None:
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
    indexes = inspect(connection).get_indexes(TABLE)
    for index in indexes:
        if index["unique"] and index["column_names"] == ["is_active"] and _condition(index) is None:
            detail = (
                f"The unique index {index['name']} covers inactive rows too, so that the table can hold only one of"
                " them. Drop it: ml_models needs a unique index on is_active WHERE is_active = TRUE."
            )
            yield TableFinding.of("index_too_strict", detail, repaired=False)
    if any(index["unique"] and _says_active(_condition(index)) for index in indexes):
        return
    if repair:
        connection.execute(text(_CREATE_INDEX[connection.dialect.name]))
    yield TableFinding.of(
        "index_missing", "Nothing kept two rows of ml_models from being active at once.", repaired=repair
    )


def _condition(index: ReflectedIndex) -> str | None:
    """The WHERE of a partial index, as the database prints it."""
    options = index.get("dialect_options", {})
    return next((str(value) for name, value in options.items() if name.endswith("_where") and value is not None), None)


def _says_active(condition: str | None) -> bool:
    bare = "".join(character for character in (condition or "").lower() if character not in '()" ')
    return bare in {"is_active", "is_active=true", "is_active=1", "is_activeistrue", "is_activeis1", "true=is_active"}
