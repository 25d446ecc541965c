"""Uninstalling takes away what is ours, and leaves the table with everything that the document says of it."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from tests.postgres import ByHand
from tests.registry.types import Add
from understudy.errors import Conflict
from understudy.registry import schema, uninstall
from understudy.registry.database.database import Database
from understudy.registry.deployment import desired_state, replicas
from understudy.registry.deployment.replicas import ReplicaReport
from understudy.registry.registry import Registry
from understudy.schemas.registry.model_query import ModelQuery
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

_LEFT = {
    "sqlite": "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name",
    "postgresql": """
        SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1
    """,
}


def _list_ours(database: Database, by_hand: ByHand) -> list[str]:
    return [name for (name,) in by_hand(_LEFT[database.kind]) if name.startswith("understudy")]


async def test_ml_models_keeps_rows_columns_and_index_and_is_adopted_again(
    database: Database, by_hand: ByHand, add: Add, database_settings: Settings
) -> None:
    one = await add("one", accuracy=0.5, description="kept")
    await add("two")
    async with database.write() as session:
        await desired_state.switch(session, one.model_id, actor="test")
    rows = by_hand("SELECT * FROM ml_models ORDER BY model_id")
    planned = await uninstall.plan(database, keep_ml_models=True)
    assert by_hand("SELECT * FROM ml_models ORDER BY model_id") == rows
    assert await uninstall.uninstall(database, keep_ml_models=True) == planned
    assert (planned.kept_models, planned.lost_models) == (2, 0)
    assert _list_ours(database, by_hand) == []
    assert by_hand("SELECT * FROM ml_models ORDER BY model_id") == rows
    with pytest.raises(Exception, match=r"(?i)unique"):
        by_hand("UPDATE ml_models SET is_active = TRUE")
    by_hand("INSERT INTO ml_models (model_name, file_path) VALUES ('by hand', 'models/x.onnx')")
    report = await schema.migrate(database)
    assert (report.adopted, report.findings) == (True, ())
    listed = await Registry(database_settings, database).list(ModelQuery())
    assert [(each.model_name, each.is_active) for each in listed.models] == [
        ("one", True),
        ("two", False),
        ("by hand", False),
    ]


async def test_ml_models_that_a_migration_made_goes_with_its_rows(
    database: Database, by_hand: ByHand, add: Add
) -> None:
    await add("one")
    removed = await uninstall.uninstall(database, keep_ml_models=False)
    assert (removed.lost_models, removed.kept_models) == (1, None)
    assert by_hand(_LEFT[database.kind]) == []
    again = await uninstall.plan(database, keep_ml_models=False)
    assert again.is_empty


async def test_ml_models_that_was_there_is_never_removed(database_settings: Settings, by_hand: ByHand) -> None:
    by_hand("CREATE TABLE ml_models (model_id INTEGER PRIMARY KEY, model_name TEXT, file_path TEXT)")
    async with Database(database_settings) as database:
        await schema.migrate(database)
        for ask in (uninstall.plan, uninstall.uninstall):
            with pytest.raises(Conflict, match="no record") as refused:
                await ask(database, keep_ml_models=False)
            assert "--keep-ml-models" in refused.value.remedy
        assert "understudy_stage" in _list_ours(database, by_hand)
        await uninstall.uninstall(database, keep_ml_models=True)
        assert _list_ours(database, by_hand) == []


async def test_a_database_of_an_earlier_version_counts_as_the_users(database: Database, by_hand: ByHand) -> None:
    """Before revision 0004, nothing recorded who made ml_models."""
    by_hand(
        "DROP TABLE understudy_created",
        "DROP TABLE understudy_imports",
        *(f"ALTER TABLE understudy_operations DROP COLUMN {column}" for column in ("warnings", "rollout")),
        *(
            f"ALTER TABLE understudy_replicas DROP COLUMN {column}"
            for column in ("desired_generation", "load_seconds", "lag_seconds")
        ),
        "DROP TABLE understudy_examples",
        "DROP TABLE understudy_proofs",
        "DROP TABLE understudy_keys",
        "DROP TABLE understudy_sessions",
        "DROP TABLE understudy_principals",
        "DROP TABLE understudy_access",
        "DROP TABLE understudy_predictions",
        "DROP TABLE understudy_policies",
        "DROP TABLE understudy_requests",
        *(
            f"ALTER TABLE understudy_stage DROP COLUMN {column}"
            for column in ("confirm_by", "return_model_id", "return_form", "return_claimed_until")
        ),
        "DROP TABLE understudy_history_head",
        "DROP INDEX understudy_history_position_idx",
        *(
            f"ALTER TABLE understudy_history DROP COLUMN {column}"
            for column in (
                *("principal_id", "principal_name", "principal_kind", "before_json", "after_json"),
                *("position", "previous_hash", "entry_hash"),
            )
        ),
        "UPDATE understudy_version SET version_num = '0003'",
    )
    await schema.migrate(database)
    with pytest.raises(Conflict, match="no record"):
        await uninstall.plan(database, keep_ml_models=False)


async def test_objects_of_the_user_stay(database: Database, by_hand: ByHand) -> None:
    body = (
        "BEGIN SELECT 1; END" if database.kind == "sqlite" else "EXECUTE FUNCTION suppress_redundant_updates_trigger()"
    )
    by_hand(
        "CREATE TABLE understudy_notes (note TEXT)",
        f"CREATE TRIGGER mine BEFORE UPDATE ON ml_models FOR EACH ROW {body}",
    )
    await uninstall.uninstall(database, keep_ml_models=True)
    assert _list_ours(database, by_hand) == ["understudy_notes"]
    assert ("mine",) in by_hand(_LEFT[database.kind])


async def test_a_users_table_that_refers_to_ml_models_stops_everything(
    database: Database, by_hand: ByHand, add: Add
) -> None:
    one = await add("one")
    by_hand(
        "CREATE TABLE predictions (model_id INTEGER REFERENCES ml_models (model_id))",
        f"INSERT INTO predictions VALUES ({one.model_id})",
    )
    before = by_hand(_LEFT[database.kind])
    with pytest.raises(Conflict, match="depends on"):
        await uninstall.uninstall(database, keep_ml_models=False)
    assert by_hand(_LEFT[database.kind]) == before
    assert by_hand("SELECT count(*) FROM ml_models") == [(1,)]


async def test_a_running_server_stops_everything(database: Database, by_hand: ByHand) -> None:
    async with database.write() as session:
        report = ReplicaReport("here:1", None, None, None, "empty", None, datetime.now(UTC))
        await replicas.save(session, report)
    with pytest.raises(Conflict, match="here:1"):
        await uninstall.uninstall(database, keep_ml_models=True)
    assert "understudy_stage" in _list_ours(database, by_hand)
    async with database.write() as session:
        await session.execute(text("UPDATE understudy_replicas SET seen_at = '2020-01-01 00:00:00'"))
    await uninstall.uninstall(database, keep_ml_models=True)
