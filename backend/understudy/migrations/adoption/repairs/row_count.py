"""Triggers that keep the number of models in `understudy_counts` when any client changes `ml_models`."""

from collections.abc import Iterator

from sqlalchemy import Connection, text

from understudy.migrations.adoption.table_finding import Repair, TableFinding

# A statement with OR REPLACE deletes the rows that hold the same id, name or active mark. Their own delete trigger
# fires only where the connection enabled recursive triggers. These rows are therefore counted before the statement, and
# those that survive it (because the unique index is missing) after it.
_HOLDERS = """(
    SELECT count(*) FROM (
        SELECT model_id FROM ml_models WHERE model_id = NEW.model_id {but}
        UNION SELECT model_id FROM ml_models WHERE model_name = NEW.model_name {but}
        UNION SELECT * FROM (SELECT model_id FROM ml_models WHERE NEW.is_active AND is_active = 1 {but} LIMIT 1)
    )
)"""
_BUT_OLD = _HOLDERS.format(but="AND model_id IS NOT OLD.model_id")
_BUT_NEW = _HOLDERS.format(but="AND model_id IS NOT NEW.model_id")
_CLAIMS = """
    OF model_id, model_name, is_active ON ml_models
    WHEN NEW.model_id IS NOT OLD.model_id OR NEW.model_name IS NOT OLD.model_name
        OR (NEW.is_active AND OLD.is_active IS NOT 1)
"""
_SET = "BEGIN UPDATE understudy_counts SET"
_SQLITE = {
    "understudy_count_insert_begins": f"BEFORE INSERT ON ml_models {_SET} replaced = {_HOLDERS.format(but='')}; END",
    "understudy_count_insert_ends": f"AFTER INSERT ON ml_models {_SET}"
    f" models = models + 1 - replaced + {_BUT_NEW}, replaced = 0; END",
    "understudy_count_update_begins": f"BEFORE UPDATE {_CLAIMS} {_SET} replaced = {_BUT_OLD}; END",
    "understudy_count_update_ends": f"AFTER UPDATE {_CLAIMS} {_SET}"
    f" models = models - replaced + {_BUT_NEW}, replaced = 0; END",
    "understudy_count_delete_ends": f"AFTER DELETE ON ml_models {_SET}"
    " models = models - 1, replaced = max(replaced - 1, 0); END",
}

# The function runs with the rights of its owner, so that a role which may write ml_models needs no rights on
# understudy_counts. Rows that another transaction has locked are merged by a later statement. Stricter isolation levels
# only insert: merging rows that changed after their snapshot would fail.
_FUNCTION = """
    CREATE OR REPLACE FUNCTION understudy_count_models() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    DECLARE
        change bigint;
    BEGIN
        IF TG_OP = 'INSERT' THEN
            SELECT count(*) INTO change FROM fresh;
        ELSIF TG_OP = 'DELETE' THEN
            SELECT -count(*) INTO change FROM gone;
        ELSE
            SELECT -coalesce(sum(models), 0) INTO change FROM understudy_counts;
        END IF;
        IF change = 0 THEN
            RETURN NULL;
        ELSIF current_setting('transaction_isolation') = 'read committed' THEN
            WITH free AS (
                SELECT count_id FROM understudy_counts FOR UPDATE SKIP LOCKED
            ), merged AS (
                DELETE FROM understudy_counts USING free WHERE understudy_counts.count_id = free.count_id
                RETURNING models
            )
            INSERT INTO understudy_counts (models, replaced) SELECT change + coalesce(sum(models), 0), 0 FROM merged;
        ELSE
            INSERT INTO understudy_counts (models, replaced) VALUES (change, 0);
        END IF;
        RETURN NULL;
    END
    $$
"""
_FOR_EACH = "FOR EACH STATEMENT EXECUTE FUNCTION understudy_count_models()"
_POSTGRESQL = {
    "understudy_count_inserts": f"AFTER INSERT ON ml_models REFERENCING NEW TABLE AS fresh {_FOR_EACH}",
    "understudy_count_deletes": f"AFTER DELETE ON ml_models REFERENCING OLD TABLE AS gone {_FOR_EACH}",
    "understudy_count_truncates": f"AFTER TRUNCATE ON ml_models {_FOR_EACH}",
}

TRIGGERS = frozenset((*_SQLITE, *_POSTGRESQL))
FUNCTION = "understudy_count_models()"

_READ_TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ml_models'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass('ml_models') AND tgenabled <> 'D'",
}
_READ_COUNTS = """
    SELECT (SELECT count(*) FROM ml_models), (SELECT sum(models) FROM understudy_counts)
"""


def ensure_row_count(connection: Connection, repair: Repair | None) -> Iterator[TableFinding]:
    """Ensure the triggers and the count that they keep.

    With `repair`, no other transaction may be writing to `ml_models`.
    """
    sqlite = connection.dialect.name == "sqlite"
    wanted = _SQLITE if sqlite else _POSTGRESQL
    missing = wanted.keys() - set(connection.execute(text(_READ_TRIGGERS[connection.dialect.name])).scalars())
    counted, kept = connection.execute(text(_READ_COUNTS)).one()
    if not missing and counted == kept:
        return
    if repair is not None:
        _create_triggers(connection, wanted, sqlite=sqlite)
        connection.execute(text("DELETE FROM understudy_counts"))
        connection.execute(text("INSERT INTO understudy_counts (models, replaced) VALUES (:n, 0)"), {"n": counted})
    detail = f"ml_models has {counted} rows, but the kept number is {kept or 0}."
    if missing:
        detail = f"The number of models was not kept: {', '.join(sorted(missing))} missing or disabled on ml_models."
    yield TableFinding.from_repair("count_wrong", detail, repaired=repair is not None)


def _create_triggers(connection: Connection, triggers: dict[str, str], *, sqlite: bool) -> None:
    if not sqlite:
        connection.execute(text(_FUNCTION))
    for name, rest in triggers.items():
        connection.execute(text(f"DROP TRIGGER IF EXISTS {name}" + ("" if sqlite else " ON ml_models")))
        connection.execute(text(f"CREATE TRIGGER {name} {rest}"))
