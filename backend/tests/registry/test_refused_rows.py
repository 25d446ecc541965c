"""A row that the database refuses ends with a typed error that says why, and nothing is stored."""

from uuid import uuid4

import pytest

from tests.postgres import ByHand, needs_direct, only_postgresql
from tests.registry.types import Add
from understudy.errors import DatabaseDenied, DatabaseNotReady, NameTaken, RowRefused, TableRefused, UnderstudyError
from understudy.registry import schema
from understudy.registry.database.database import Database
from understudy.registry.registry import Registry
from understudy.schemas.registry.model import ModelUpdate
from understudy.schemas.registry.model_query import ModelQuery
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

_RAISE = """
    CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION 'models are frozen' USING HINT = 'ask Ann'; END$$
"""
_DROP = "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$"
_FOR_EACH = "ON ml_models FOR EACH ROW EXECUTE FUNCTION stop()"


_CASES: dict[str, tuple[list[str], type[UnderstudyError], str, str]] = {
    "a new column without a value": (
        [
            "ALTER TABLE ml_models ADD tenant_id INT NOT NULL DEFAULT 1",
            "ALTER TABLE ml_models ALTER tenant_id DROP DEFAULT",
        ],
        RowRefused,
        "tenant_id",
        'ALTER COLUMN "tenant_id" DROP NOT NULL',
    ),
    "a check": (
        ["ALTER TABLE ml_models ADD CHECK (model_name LIKE 'prod-%') NOT VALID"],
        RowRefused,
        "check constraint",
        "understudy doctor",
    ),
    "a short column": (
        ["ALTER TABLE ml_models ALTER model_name TYPE varchar(3)"],
        RowRefused,
        "too long",
        "understudy doctor",
    ),
    "a trigger that raises": (
        [_RAISE, f"CREATE TRIGGER stop BEFORE INSERT {_FOR_EACH}"],
        RowRefused,
        "models are frozen; ask Ann; raised by the function stop",
        "trigger",
    ),
    "a trigger that drops the row": (
        [_DROP, f"CREATE TRIGGER stop BEFORE INSERT {_FOR_EACH}"],
        RowRefused,
        "dropped the new row",
        "triggers and rules",
    ),
    "a column of another type": (
        ["ALTER TABLE ml_models ALTER created_at TYPE bigint USING 0"],
        RowRefused,
        "bigint",
        "understudy doctor",
    ),
    "a column that is gone": (
        ["ALTER TABLE ml_models RENAME COLUMN version TO release"],
        DatabaseNotReady,
        "version",
        "understudy doctor",
    ),
    "a table that is gone": (
        ["DROP TABLE understudy_files"],
        DatabaseNotReady,
        "understudy_files",
        "understudy migrate",
    ),
}


@only_postgresql
@pytest.mark.parametrize("case", _CASES)
async def test_a_row_that_the_table_does_not_take(case: str, registry: Registry, add: Add, by_hand: ByHand) -> None:
    statements, error, reason, remedy = _CASES[case]
    await add("one")
    before = by_hand("SELECT model_id, model_name FROM ml_models")
    by_hand(*statements)
    with pytest.raises(error) as refusal:
        await add("another")
    assert reason in refusal.value.detail
    assert remedy in refusal.value.remedy
    assert refusal.value.status in {409, 503}
    assert by_hand("SELECT model_id, model_name FROM ml_models") == before
    assert by_hand("SELECT count(*) FROM understudy_history") == [(1,)]


@only_postgresql
@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("ALTER TABLE ml_models ALTER description TYPE jsonb USING '{}'", "invalid input syntax for type json"),
        ("ALTER TABLE ml_models ALTER description TYPE int USING 0", "invalid input syntax for type integer"),
        (
            "ALTER TABLE ml_models DROP description, ADD description text GENERATED ALWAYS AS (version) STORED",
            "generated column",
        ),
    ],
)
async def test_a_value_that_the_column_does_not_take(
    registry: Registry, add: Add, by_hand: ByHand, statement: str, reason: str
) -> None:
    one = await add("one")
    by_hand(statement)
    with pytest.raises(RowRefused, match=reason):
        await registry.update(one.model_id, ModelUpdate(description="quiet barn"), "test")
    with pytest.raises(RowRefused, match=reason):
        await add("two", description="quiet barn")
    assert (await add("three")).model_name == "three"


@only_postgresql
async def test_changes_and_deletions_that_a_trigger_drops(registry: Registry, add: Add, by_hand: ByHand) -> None:
    """A table that only marks rows as deleted would otherwise be answered with a deletion that did not happen."""
    one = await add("one")
    by_hand(_DROP, f"CREATE TRIGGER stop BEFORE UPDATE OR DELETE {_FOR_EACH}")
    with pytest.raises(RowRefused, match="dropped the change"):
        await registry.update(one.model_id, ModelUpdate(version="v2"), "test")
    with pytest.raises(RowRefused, match="kept the row"):
        await registry.delete(one.model_id, "test")
    assert (await registry.get(one.model_id)).version is None


@only_postgresql
async def test_a_deletion_that_another_table_forbids(registry: Registry, add: Add, by_hand: ByHand) -> None:
    one = await add("one")
    by_hand("CREATE TABLE runs (model_id INT REFERENCES ml_models)", f"INSERT INTO runs VALUES ({one.model_id})")
    with pytest.raises(RowRefused, match='still referenced from table "runs"') as refusal:
        await registry.delete(one.model_id, "test")
    assert "rows of the other table" in refusal.value.remedy


@only_postgresql
async def test_a_constraint_of_another_name_is_a_taken_name(registry: Registry, add: Add, by_hand: ByHand) -> None:
    """The look before the insertion finds nothing: the constraint ignores case."""
    await add("one")
    by_hand("CREATE UNIQUE INDEX names ON ml_models (lower(model_name))")
    with pytest.raises(NameTaken):
        await add("ONE")


@needs_direct
@only_postgresql
async def test_a_missing_right_is_named_with_the_grant(
    database_settings: Settings, registry: Registry, add: Add, by_hand: ByHand
) -> None:
    one = await add("one")
    role = f"reader_{uuid4().hex}"
    by_hand(
        f"CREATE ROLE {role} LOGIN",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}",
        f"REVOKE UPDATE ON understudy_stage, ml_models FROM {role}",
    )
    address = (database_settings.database_url or "").replace("postgres@", f"{role}@")
    other = Settings(home=database_settings.home, database_url=address)
    try:
        async with Database(other) as database:
            with pytest.raises(DatabaseDenied, match="permission denied for table ml_models") as refusal:
                await Registry(other, database).update(one.model_id, ModelUpdate(version="v2"), "test")
            assert f'GRANT SELECT, INSERT, UPDATE, DELETE ON ml_models TO "{role}";' in refusal.value.remedy
            with pytest.raises(TableRefused, match="may not UPDATE"):
                await schema.migrate(database)
            await database.require_tables()
    finally:
        by_hand(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


@needs_direct
@only_postgresql
async def test_a_read_only_database_is_named_as_such(
    database_settings: Settings, registry: Registry, add: Add, by_hand: ByHand
) -> None:
    one = await add("one")
    [(name,)] = by_hand("SELECT current_database()")
    by_hand(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    async with Database(database_settings) as database:
        read_only = Registry(database_settings, database)
        assert (await read_only.get(one.model_id)).model_name == "one"
        with pytest.raises(DatabaseDenied, match="read-only transaction"):
            await read_only.delete(one.model_id, "test")


async def test_a_database_that_is_opened_for_reading_refuses_to_write(
    database_settings: Settings, registry: Registry, add: Add
) -> None:
    one = await add("one")
    async with Database(database_settings, read_only=True) as database:
        with pytest.raises(DatabaseDenied):
            await Registry(database_settings, database).delete(one.model_id, "test")
    assert (await registry.list(ModelQuery())).total == 1


@pytest.mark.parametrize("database_settings", ["sqlite"], indirect=True)
async def test_triggers_and_checks_of_sqlite(registry: Registry, add: Add, by_hand: ByHand) -> None:
    by_hand("CREATE TRIGGER stop BEFORE INSERT ON ml_models BEGIN SELECT RAISE(ABORT, 'models are frozen'); END")
    with pytest.raises(RowRefused, match="models are frozen"):
        await add("one")
    assert (await registry.list(ModelQuery())).total == 0
