"""Appends entries to the history and seals them; the one place that writes to `understudy_history`."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Connection,
    Integer,
    String,
    Text,
    column,
    func,
    insert,
    inspect,
    select,
    table,
    update,
)

from understudy.errors import DatabaseUnavailable
from understudy.history_chain import GENESIS, build_facts, compute_hash

HISTORY = table(
    "understudy_history",
    column("history_id", BigInteger),
    column("position", BigInteger),
    column("at", TIMESTAMP),
    column("event", String),
    column("model_id", Integer),
    column("model_name", String),
    column("version", String),
    column("digest", String),
    column("generation", BigInteger),
    column("form", String),
    column("actor", String),
    column("principal_id", Integer),
    column("principal_name", String),
    column("principal_kind", String),
    column("before_json", Text),
    column("after_json", Text),
    column("code", String),
    column("detail", Text),
    column("remedy", Text),
    column("previous_hash", String),
    column("entry_hash", String),
)
HEAD = table(
    "understudy_history_head",
    column("head_id", Integer),
    column("position", BigInteger),
    column("entry_hash", String),
)

_SEAL = ("position", "previous_hash", "entry_hash")
_GIVEN = tuple(each.name for each in HISTORY.columns if each.name not in {"history_id", "at", *_SEAL})
_BATCH = 1000


def append_early(connection: Connection, entries: Sequence[Mapping[str, Any]]) -> None:
    """Append entries to tables that may still be on their way to the newest revision, which seals what it finds."""
    if inspect(connection).has_table(HEAD.name):
        append(connection, entries)
        return
    known = {each["name"] for each in inspect(connection).get_columns(HISTORY.name)}
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = [{name: value for name, value in entry.items() if name in known} for entry in entries]
    connection.execute(insert(HISTORY), [{**row, "at": now} for row in rows])


def append(connection: Connection, entries: Sequence[Mapping[str, Any]]) -> None:
    """Append entries, which have the columns of the table without time and seal; what they lack is NULL.

    The row with the head of the chain is locked until the transaction ends: on PostgreSQL other writers wait for it, so
    that this should be the last that a transaction does. On SQLite the transaction holds the lock of all writers.
    Raises DatabaseUnavailable where that row is missing.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    rows: list[dict[str, Any]] = [
        {**dict.fromkeys(_GIVEN), **entry, "at": now, **dict.fromkeys(_SEAL)} for entry in entries
    ]
    position, last = _lock_head(connection)
    for row in rows:
        position += 1
        last = _seal(row, position, last)
    connection.execute(insert(HISTORY), rows)
    _move_head(connection, position, last)


def seal_present(connection: Connection, occasion: str) -> int:
    """Seal the entries that have no seal, and append one that says so; return how many there were.

    `occasion` begins that entry's sentence, such as "The migration".
    """
    position, last = _lock_head(connection)
    sealed = 0
    while rows := _read_unsealed(connection):
        for row in rows:
            position, sealed = position + 1, sealed + 1
            last = _seal(row, position, last)
            connection.execute(
                update(HISTORY)
                .where(HISTORY.c.history_id == row["history_id"])
                .values({name: row[name] for name in _SEAL})
            )
    if sealed:
        _move_head(connection, position, last)
        detail = f"{occasion} sealed {sealed} older entries as it found them. Earlier changes of them cannot be seen."
        append(connection, [{"event": "sealed", "actor": "migration", "detail": detail}])
    return sealed


def restore_head(connection: Connection) -> bool:
    """Insert the row with the end of the chain again, taken from the last entry; False where it is there."""
    if connection.execute(select(func.count()).select_from(HEAD)).scalar_one():
        return False
    newest = select(HISTORY.c.position, HISTORY.c.entry_hash).where(HISTORY.c.position.is_not(None))
    found = connection.execute(newest.order_by(HISTORY.c.position.desc()).limit(1)).one_or_none()
    position, last = (0, GENESIS) if found is None else found
    connection.execute(insert(HEAD).values(head_id=1, position=position, entry_hash=last))
    detail = (
        f"The end of the chain was not recorded any more, and was taken from position {position}. Whether entries "
        "after it were removed cannot be seen."
    )
    append(connection, [{"event": "repaired", "actor": "migration", "detail": detail}])
    return True


def _lock_head(connection: Connection) -> tuple[int, str]:
    found = connection.execute(select(HEAD.c.position, HEAD.c.entry_hash).with_for_update()).one_or_none()
    if found is None:
        raise DatabaseUnavailable(
            "The row of understudy_history_head is missing, so that nothing can be added to the history.",
            remedy="Run `understudy doctor --fix`.",
        )
    return found[0], found[1]


def _move_head(connection: Connection, position: int, last: str) -> None:
    connection.execute(update(HEAD).values(position=position, entry_hash=last))


def _seal(row: dict[str, Any], position: int, previous: str) -> str:
    row["position"], row["previous_hash"] = position, previous
    row["entry_hash"] = compute_hash(previous, build_facts(row))
    return str(row["entry_hash"])


def _read_unsealed(connection: Connection) -> list[dict[str, Any]]:
    query = select(HISTORY).where(HISTORY.c.position.is_(None)).order_by(HISTORY.c.history_id).limit(_BATCH)
    return [dict(row) for row in connection.execute(query).mappings()]
