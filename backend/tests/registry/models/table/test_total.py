"""The number of models is exact after any change of the table by any client."""

import asyncio
import sqlite3

import psycopg
import pytest

from tests.postgres import ByHand, only_postgresql
from tests.registry.types import Add
from understudy.doctor import tables_check
from understudy.doctor.finding import FindingState
from understudy.migrations import Repair
from understudy.registry.database.database import Database
from understudy.registry.registry import Registry
from understudy.schemas.registry.model import ModelCreate, ModelUpdate
from understudy.schemas.registry.model_query import ModelQuery
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

_INSERT = "INSERT INTO ml_models (model_id, model_name, file_path, is_active) VALUES "
only_sqlite = pytest.mark.parametrize("database_settings", ["sqlite"], indirect=True)


@pytest.fixture
def three(database: Database, by_hand: ByHand) -> None:
    by_hand(f"{_INSERT} (1, 'a', 'a', TRUE), (2, 'b', 'b', FALSE), (3, 'c', 'c', NULL)")


async def _total(registry: Registry) -> int:
    return (await registry.list(ModelQuery(limit=1))).total


async def test_it_follows_the_registry(registry: Registry, add: Add) -> None:
    first = await add("first")
    await add("second")
    assert await _total(registry) == 2
    await registry.update(first.model_id, ModelUpdate(model_name="renamed"), "api")
    assert await _total(registry) == 2
    await registry.delete(first.model_id, "api")
    assert await _total(registry) == 1


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("statement", "total"),
    [
        (f"{_INSERT} (4, 'd', 'd', FALSE), (5, 'e', 'e', FALSE)", 5),
        (f"{_INSERT.replace('VALUES', 'SELECT')} model_id + 9, 'x' || model_id, 'x', FALSE FROM ml_models", 6),
        (f"{_INSERT} (2, 'd', 'd', FALSE) ON CONFLICT DO NOTHING", 3),
        (f"{_INSERT} (4, 'b', 'd', FALSE) ON CONFLICT (model_name) DO UPDATE SET version = 'v2'", 3),
        ("UPDATE ml_models SET is_active = FALSE", 3),
        ("UPDATE ml_models SET model_id = 9, model_name = 'other' WHERE model_id = 2", 3),
        ("DELETE FROM ml_models WHERE model_id > 1", 1),
        ("DELETE FROM ml_models", 0),
        ("DELETE FROM ml_models WHERE model_id = 77", 3),
    ],
)  # fmt: skip
async def test_it_follows_statements_typed_by_hand(
    registry: Registry, by_hand: ByHand, statement: str, total: int
) -> None:
    by_hand(statement)
    assert by_hand("SELECT count(*) FROM ml_models") == [(total,)]
    assert await _total(registry) == total


@only_sqlite
@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("recursive", ["ON", "OFF"])
@pytest.mark.parametrize(
    ("statement", "total"),
    [
        (f"REPLACE {_INSERT.removeprefix('INSERT ')} (2, 'again', 'x', FALSE)", 3),
        (f"REPLACE {_INSERT.removeprefix('INSERT ')} (2, 'c', 'x', TRUE)", 1),
        (f"{_INSERT.replace('INSERT', 'INSERT OR REPLACE')} (4, 'b', 'x', FALSE), (5, 'b', 'x', FALSE)", 3),
        ("UPDATE OR REPLACE ml_models SET model_name = 'a' WHERE model_id = 2", 2),
        (f"{_INSERT.replace('INSERT', 'INSERT OR IGNORE')} (2, 'd', 'd', FALSE), (4, 'd', 'd', FALSE)", 4),
        ("UPDATE OR IGNORE ml_models SET model_name = 'a' WHERE model_id = 2", 3),
    ],
)
async def test_rows_that_sqlite_replaces_without_a_trigger_count(
    registry: Registry, by_hand: ByHand, statement: str, total: int, recursive: str
) -> None:
    by_hand(f"PRAGMA recursive_triggers = {recursive}", statement)
    assert by_hand("SELECT count(*) FROM ml_models") == [(total,)]
    assert await _total(registry) == total


@only_sqlite
@pytest.mark.usefixtures("three")
async def test_without_the_index_nothing_is_replaced(registry: Registry, by_hand: ByHand) -> None:
    by_hand("DROP INDEX ml_models_one_active", "UPDATE ml_models SET is_active = TRUE")
    assert await _total(registry) == 3
    by_hand(f"{_INSERT} (4, 'd', 'd', TRUE)")
    assert await _total(registry) == 4


@only_sqlite
@pytest.mark.usefixtures("three")
async def test_a_statement_that_fails_changes_nothing(registry: Registry, by_hand: ByHand) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        by_hand(f"{_INSERT} (4, 'd', 'd', FALSE), (5, 'a', 'a', FALSE)")
    assert await _total(registry) == 3


@only_postgresql
@pytest.mark.usefixtures("three")
async def test_it_follows_copy_truncate_and_serializable_transactions(
    registry: Registry, by_hand: ByHand, database_settings: Settings
) -> None:
    by_hand("BEGIN ISOLATION LEVEL SERIALIZABLE", f"{_INSERT} (4, 'd', 'd', FALSE)", "SELECT 1", "COMMIT", "SELECT 1")
    assert await _total(registry) == 4
    with psycopg.connect(database_settings.database_url or "") as connection:
        with connection.cursor().copy("COPY ml_models (model_id, model_name, file_path) FROM STDIN") as rows:
            rows.write_row((8, "copied", "x"))
        connection.execute(f"{_INSERT} (9, 'kept back', 'x', FALSE)".encode())
        assert await _total(registry) == 4
    assert await _total(registry) == 6
    by_hand("TRUNCATE ml_models CASCADE")
    assert await _total(registry) == 0


@only_postgresql
async def test_a_transaction_left_open_keeps_no_registration_waiting(
    registry: Registry, add: Add, database_settings: Settings
) -> None:
    """A single counter would: a transaction that has changed it locks it until its end."""
    await add("before")
    with psycopg.connect(database_settings.database_url or "") as connection:
        connection.execute(f"{_INSERT} (500, 'unfinished', 'x', FALSE)".encode())
        async with asyncio.timeout(20):
            await add("meanwhile")
        assert await _total(registry) == 2
    assert await _total(registry) == 3


@only_postgresql
async def test_a_role_that_writes_the_table_needs_no_rights_on_the_count(registry: Registry, by_hand: ByHand) -> None:
    by_hand(
        "DROP ROLE IF EXISTS stranger",
        "CREATE ROLE stranger",
        "GRANT ALL ON ml_models TO stranger",
        "SET ROLE stranger",
        f"{_INSERT} (1, 'a', 'a', FALSE)",
        "RESET ROLE",
    )
    assert await _total(registry) == 1
    by_hand("DROP OWNED BY stranger", "DROP ROLE stranger")


async def test_registrations_at_once_are_all_counted(database_settings: Settings, database: Database) -> None:
    (database_settings.models_dir / "same.onnx").write_bytes(b"same")
    databases = [Database(database_settings) for _ in range(4)]
    requests = [ModelCreate(model_name=f"model {number}", file_path="models/same.onnx") for number in range(24)]
    await asyncio.gather(
        *(
            Registry(database_settings, databases[number % 4]).register(request, "api")
            for number, request in enumerate(requests)
        )
    )
    for each in databases:
        await each.dispose()
    assert await _total(Registry(database_settings, database)) == 24


@pytest.mark.usefixtures("three")
async def test_the_doctor_puts_triggers_and_count_back(database: Database, registry: Registry, by_hand: ByHand) -> None:
    sqlite = database.kind == "sqlite"
    name = "understudy_count_insert_ends" if sqlite else "understudy_count_inserts"
    by_hand(
        f"DROP TRIGGER {name}" if sqlite else f"ALTER TABLE ml_models DISABLE TRIGGER {name}",
        f"{_INSERT} (4, 'd', 'd', FALSE)",
        "DROP INDEX ml_models_accuracy_model_id_idx",
    )
    found = {each.code: each for each in await tables_check.check(database, None)}
    assert name in found["count_wrong"].what
    assert "accuracy" in found["sort_unindexed"].what
    fixed = {each.code: each.state for each in await tables_check.check(database, Repair())}
    assert fixed.items() >= {"count_wrong": FindingState.FIXED, "sort_unindexed": FindingState.FIXED}.items()
    assert await _total(registry) == 4
    assert await tables_check.check(database, None) == []
    by_hand(f"{_INSERT} (5, 'e', 'e', FALSE)")
    assert await _total(registry) == 5


async def test_matches_of_a_filter_are_counted(registry: Registry, add: Add) -> None:
    for name in ("a", "b", "c"):
        await add(name, model_type="yamnet" if name != "c" else None)
    assert (await registry.list(ModelQuery(type="yamnet", limit=1))).total == 2
    assert (await registry.list(ModelQuery(q="C", limit=1))).total == 1
