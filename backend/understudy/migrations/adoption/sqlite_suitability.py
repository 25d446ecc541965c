"""Checks on SQLite that `ml_models` is a table that Understudy can write."""

from collections.abc import Iterator

from sqlalchemy import Connection, text

from understudy.migrations.adoption.fault import Fault

_KIND = text("SELECT type, upper(sql) FROM sqlite_master WHERE name = 'ml_models' AND type IN ('table', 'view')")
_COLUMNS = text(
    "SELECT name, \"notnull\" AND dflt_value IS NULL AND pk = 0, hidden IN (2, 3) FROM pragma_table_xinfo('ml_models')"
)
_WRITTEN = {"model_id", "model_name", "file_path", "created_at", "updated_at", "is_active"}
_OPTIONAL = {"version", "description", "model_type", "accuracy"}
_RENAME = "Make a new table as docs/databases.md shows, copy the rows into it, drop the old one and rename the new one."


def check_kind(connection: Connection) -> Iterator[Fault]:
    """Find an `ml_models` that is no table; nothing when there is none."""
    kind = connection.execute(_KIND).one_or_none()
    if kind is not None and (kind[0] == "view" or kind[1].startswith("CREATE VIRTUAL")):
        yield Fault(f"it is a {'view' if kind[0] == 'view' else 'virtual table'}", _RENAME)


def check_columns(connection: Connection) -> Iterator[Fault]:
    """Find the columns that cannot be used; nothing when there is no such table."""
    names: set[str] = set()
    for name, unfilled, generated in connection.execute(_COLUMNS):
        names.add(name)
        if generated and name in _WRITTEN:
            yield Fault(f"{name} is a generated column, and Understudy has to write it", _RENAME)
        elif unfilled and name not in _WRITTEN | _OPTIONAL and not generated:
            yield Fault(f"{name} has no default and allows no NULL, so that no model could be registered", _RENAME)
    if "is_active" in names:
        yield from _check_values(
            connection,
            "is_active",
            "typeof(is_active) NOT IN ('integer', 'null') OR is_active NOT IN (0, 1)",
            "UPDATE ml_models SET is_active = lower(is_active) IN ('true', 't', 'yes', 'y', '1')"
            " WHERE is_active IS NOT NULL;",
        )
    for name in ("created_at", "updated_at"):
        if name in names:
            yield from _check_values(
                connection,
                name,
                f"typeof({name}) NOT IN ('text', 'null')",
                f"UPDATE ml_models SET {name} = datetime({name}, 'unixepoch') WHERE typeof({name}) <> 'text';",  # noqa: S608
            )
    if "accuracy" in names:
        yield from _check_values(
            connection,
            "accuracy",
            "typeof(accuracy) IN ('text', 'blob')",
            "UPDATE ml_models SET accuracy = NULL WHERE typeof(accuracy) IN ('text', 'blob');",
        )
    if "model_id" in names:
        yield from _check_values(
            connection,
            "model_id",
            "typeof(model_id) NOT IN ('integer', 'null') OR model_id NOT BETWEEN 0 AND 2147483647",
            _RENAME,
        )


def _check_values(connection: Connection, column: str, wrong: str, sql: str) -> Iterator[Fault]:
    found = connection.execute(text(f"SELECT {column} FROM ml_models WHERE {wrong} LIMIT 3")).scalars().all()  # noqa: S608
    if found:
        listed = ", ".join(repr(each) for each in found)
        yield Fault(f"{column} holds values that Understudy cannot use: {listed}", sql)
