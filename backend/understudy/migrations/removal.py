"""Removes what the migrations made, and nothing of the user's."""

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, func, inspect, select, table, text

from understudy.migrations.adoption.repairs.row_count import FUNCTION, TRIGGERS
from understudy.migrations.adoption.table_finding import TABLE
from understudy.migrations.own_tables import OWN_TABLES, has_created_ml_models


@dataclass(frozen=True)
class Removal:
    """The tables, triggers and functions that go; `lost_models` is the number of models that go with `ml_models`.

    `created_ml_models` is True when the records say that a migration made `ml_models`. `kept_models` is None when
    `ml_models` does not exist or goes.
    """

    tables: tuple[str, ...]
    triggers: tuple[str, ...]
    functions: tuple[str, ...]
    created_ml_models: bool
    lost_models: int
    kept_models: int | None

    @property
    def is_empty(self) -> bool:
        """True when nothing is there to remove."""
        return not (self.tables or self.triggers or self.functions)

    def to_document(self) -> dict[str, object]:
        """Return the plan as plain JSON values."""
        return asdict(self)


_READ_TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ml_models'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass('ml_models') AND NOT tgisinternal",
}
_READ_FUNCTION = text("SELECT to_regprocedure(:name) IS NOT NULL")


def plan_removal(connection: Connection, *, keep_ml_models: bool) -> Removal:
    """Return what `remove` would take away; change nothing."""
    inspector = inspect(connection)
    has_ml_models = inspector.has_table(TABLE)
    created = has_created_ml_models(connection)
    models = connection.execute(select(func.count()).select_from(table(TABLE))).scalar_one() if has_ml_models else 0
    triggers = set(connection.execute(text(_READ_TRIGGERS[connection.dialect.name])).scalars())
    functions: tuple[str, ...] = ()
    if connection.dialect.name == "postgresql" and connection.execute(_READ_FUNCTION, {"name": FUNCTION}).scalar_one():
        functions = (FUNCTION,)
    removes_models = has_ml_models and created and not keep_ml_models
    return Removal(
        tables=tuple(name for name in OWN_TABLES if inspector.has_table(name)) + ((TABLE,) if removes_models else ()),
        triggers=tuple(sorted(triggers & TRIGGERS)),
        functions=functions,
        created_ml_models=created,
        lost_models=models if removes_models else 0,
        kept_models=models if has_ml_models and not removes_models else None,
    )


def remove(connection: Connection, plan: Removal) -> None:
    """Remove what `plan` names. The database refuses, and raises, where an object of the user's depends on it."""
    on_table = f" ON {TABLE}" if connection.dialect.name == "postgresql" else ""
    for trigger in plan.triggers:
        connection.execute(text(f"DROP TRIGGER {trigger}{on_table}"))
    for function in plan.functions:
        connection.execute(text(f"DROP FUNCTION {function}"))
    for name in plan.tables:
        connection.execute(text(f"DROP TABLE {name}"))
