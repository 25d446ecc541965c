import pytest

from tests.postgres import ByHand, only_postgresql
from understudy.errors import Misconfigured, RequestInvalid, SeveralActive, TableRefused
from understudy.migrations import AdoptionOutcome, Repair
from understudy.registry import schema
from understudy.registry.database.database import Database
from understudy.registry.deployment import desired_state
from understudy.registry.models.history import model_history
from understudy.registry.registry import Registry
from understudy.schemas.registry.model import ModelCreate
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

_ROW = "INSERT INTO ml_models (model_id, model_name, file_path, version, accuracy, updated_at, is_active) VALUES "


async def test_rows_of_a_hand_made_table_stay_as_they_are(
    database_settings: Settings, by_hand: ByHand, documented: str
) -> None:
    active = "(1, 'one', 'models\\one.keras', 'v1', 0.92, '2024-05-01 10:00:00', TRUE)"
    by_hand(documented, f"{_ROW} {active}, (7, 'two', 'two.h5', NULL, NULL, NULL, FALSE)")
    before = by_hand("SELECT * FROM ml_models ORDER BY model_id")
    async with Database(database_settings) as database:
        report = await schema.migrate(database)
        assert report.adopted
        assert "index_missing" in {finding.code for finding in report.findings}
        assert await database.examine_tables() == ()
        async with database.read() as session:
            assert await desired_state.read_desired(session) == desired_state.Desired(1, 1)
            noted = await model_history.read_page(session)
    assert [(entry.event, entry.model_id, entry.actor) for entry in noted.entries] == [("activated", 1, "sql")]
    assert by_hand("SELECT * FROM ml_models ORDER BY model_id") == before


async def test_several_active_rows_are_named_and_nothing_changes_until_one_is_chosen(
    database_settings: Settings, by_hand: ByHand, documented: str
) -> None:
    rows = [
        "(1, 'undated', 'a.onnx', NULL, NULL, NULL, TRUE)",
        "(2, 'newest', 'a.onnx', 'v2', NULL, '2024-05-01 10:00:00', TRUE)",
        "(3, 'idle', 'a.onnx', NULL, NULL, '2025-05-01 10:00:00', FALSE)",
    ]
    by_hand(documented, _ROW + ", ".join(rows))
    before = by_hand("SELECT * FROM ml_models ORDER BY model_id")
    async with Database(database_settings) as database:
        with pytest.raises(SeveralActive) as refusal:
            await schema.migrate(database)
        assert "model 1 (undated, no version, no updated_at)" in refusal.value.detail
        assert "model 2 (newest, version v2, updated 2024-05-01 10:00:00" in refusal.value.detail
        assert "understudy doctor --fix --keep-active MODEL_ID" in refusal.value.remedy
        assert by_hand("SELECT * FROM ml_models ORDER BY model_id") == before
        assert [each.code for each in await database.examine_tables()] == ["not_migrated", "several_active"]
        with pytest.raises(RequestInvalid, match="Model 3 is not active"):
            await schema.repair_tables(database, Repair(keep_active=3))
        await schema.repair_tables(database, Repair(keep_active=1))
        async with database.read() as session:
            noted = await model_history.read_page(session, events=["repaired"])
            assert await desired_state.read_desired(session) == desired_state.Desired(1, 1)
    assert by_hand("SELECT model_id FROM ml_models WHERE is_active") == [(1,)]
    assert by_hand("SELECT count(*) FROM ml_models") == [(3,)]
    assert {entry.model_id for entry in noted.entries} == {1, 2}


@pytest.mark.parametrize("column", ["tenant_id", "house"])
async def test_one_active_row_for_each_tenant_is_named_as_such(
    database_settings: Settings, by_hand: ByHand, documented: str, column: str
) -> None:
    by_hand(
        documented,
        f"ALTER TABLE ml_models ADD COLUMN {column} TEXT",
        "ALTER TABLE ml_models ADD COLUMN country TEXT DEFAULT 'de'",
        f"INSERT INTO ml_models (model_id, model_name, file_path, is_active, {column}) VALUES"
        " (1, 'a', 'a', TRUE, 'north'), (2, 'b', 'b', TRUE, 'south')",
    )
    async with Database(database_settings) as database:
        with pytest.raises(SeveralActive, match=f"one active model for each {column}") as refusal:
            await schema.migrate(database)
    assert f"{column} north" in refusal.value.detail
    assert "country" not in refusal.value.detail
    assert by_hand("SELECT count(*) FROM ml_models WHERE is_active") == [(2,)]


async def test_an_index_for_one_active_row_per_tenant_is_refused(
    database_settings: Settings, by_hand: ByHand, documented: str
) -> None:
    by_hand(
        documented,
        "ALTER TABLE ml_models ADD COLUMN tenant_id TEXT",
        "CREATE UNIQUE INDEX one_each ON ml_models (tenant_id) WHERE is_active",
    )
    async with Database(database_settings) as database:
        with pytest.raises(TableRefused, match="one_each allows one active model for each tenant_id") as refusal:
            await schema.migrate(database)
    assert "DROP INDEX one_each" in refusal.value.remedy


@pytest.mark.parametrize("condition", ["is_active = TRUE", "is_active", "(is_active IS TRUE)"])
async def test_an_index_under_another_name_is_accepted(
    database_settings: Settings, by_hand: ByHand, documented: str, condition: str
) -> None:
    by_hand(documented, f"CREATE UNIQUE INDEX mine ON ml_models (is_active) WHERE {condition}")
    async with Database(database_settings) as database:
        report = await schema.migrate(database)
    assert "index_missing" not in {finding.code for finding in report.findings}


async def test_missing_columns_keys_and_other_types_are_repaired_or_noted(
    database_settings: Settings, by_hand: ByHand
) -> None:
    by_hand(
        "CREATE TABLE ml_models (model_id INT NOT NULL, model_name TEXT, file_path TEXT, accuracy NUMERIC, note TEXT)",
        "INSERT INTO ml_models VALUES (3, 'kept', 'models/kept.onnx', 92.5, 'mine')",
    )
    (database_settings.models_dir / "new.onnx").write_bytes(b"new")
    async with Database(database_settings) as database:
        report = await schema.migrate(database)
        codes = {finding.code for finding in report.findings}
        assert {"column_missing", "column_type", "column_extra", "model_id_not_unique", "name_not_unique"} <= codes
        assert AdoptionOutcome.OPEN not in {finding.outcome for finding in report.findings}
        assert {finding.outcome for finding in await database.examine_tables()} == {AdoptionOutcome.NOTED}
        registry = Registry(database_settings, database)
        assert (await registry.get(3)).accuracy == 92.5
        fresh = await registry.register(ModelCreate(model_name="new", file_path="models/new.onnx"), "cli")
    assert fresh.model_id == 4
    assert by_hand("SELECT note FROM ml_models WHERE model_id = 3") == [("mine",)]


async def test_repeated_names_are_reported_and_kept(database_settings: Settings, by_hand: ByHand) -> None:
    by_hand(
        "CREATE TABLE ml_models (model_id INTEGER PRIMARY KEY, model_name TEXT, file_path TEXT, is_active BOOLEAN)",
        "INSERT INTO ml_models VALUES (1, 'same', 'a', NULL), (2, 'same', 'b', FALSE)",
    )
    async with Database(database_settings) as database:
        report = await schema.migrate(database)
    repeated = [finding for finding in report.findings if finding.code == "name_repeated"]
    assert [finding.outcome for finding in repeated] == [AdoptionOutcome.OPEN]
    assert by_hand("SELECT count(*) FROM ml_models") == [(2,)]


async def test_a_table_that_is_something_else_is_left_alone(database_settings: Settings, by_hand: ByHand) -> None:
    by_hand("CREATE TABLE ml_models (id INTEGER PRIMARY KEY, weights TEXT)")
    async with Database(database_settings) as database:
        with pytest.raises(Misconfigured, match="model_id, model_name, file_path"):
            await schema.migrate(database)
        assert [finding.code for finding in await database.examine_tables()] == ["not_migrated", "table_refused"]


async def test_ids_used_twice_are_refused_with_their_numbers(database_settings: Settings, by_hand: ByHand) -> None:
    by_hand(
        "CREATE TABLE ml_models (model_id INT, model_name TEXT, file_path TEXT)",
        "INSERT INTO ml_models VALUES (5, 'a', 'a'), (5, 'b', 'b')",
    )
    async with Database(database_settings) as database:
        with pytest.raises(Misconfigured, match="more than once: 5"):
            await schema.migrate(database)


async def test_rows_without_an_id_get_one(database_settings: Settings, by_hand: ByHand) -> None:
    """SQLite takes the documented SERIAL as a column like any other, which nothing fills."""
    key = "SERIAL PRIMARY KEY" if database_settings.database_url is None else "INT"
    by_hand(
        f"CREATE TABLE ml_models (model_id {key}, model_name TEXT, file_path TEXT)",
        "INSERT INTO ml_models VALUES (4, 'a', 'a'), (NULL, 'b', 'b'), (NULL, 'c', 'c')",
    )
    async with Database(database_settings) as database:
        with pytest.raises(TableRefused, match="2 rows of ml_models have no model_id, among them: b, c"):
            await schema.migrate(database)
        assert by_hand("SELECT count(*) FROM ml_models WHERE model_id IS NULL") == [(2,)]
        report = await schema.repair_tables(database, Repair(change_rows=True))
    assert "model_id_missing" in {finding.code for finding in report}
    assert by_hand("SELECT model_id FROM ml_models ORDER BY model_id") == [(4,), (5,), (6,)]


@only_postgresql
async def test_a_sequence_left_behind_by_explicit_ids_is_advanced(
    database_settings: Settings, by_hand: ByHand, documented: str
) -> None:
    by_hand(documented, _ROW + "(1, 'a', 'a', NULL, NULL, NULL, FALSE), (2, 'b', 'b', NULL, NULL, NULL, FALSE)")
    (database_settings.models_dir / "c.onnx").write_bytes(b"c")
    async with Database(database_settings) as database:
        assert "sequence_behind" in {finding.code for finding in (await schema.migrate(database)).findings}
        created = await Registry(database_settings, database).register(
            ModelCreate(model_name="c", file_path="models/c.onnx"), "cli"
        )
    assert created.model_id == 3


async def test_damage_done_later_is_found_and_repaired(database_settings: Settings, by_hand: ByHand) -> None:
    async with Database(database_settings) as database:
        await schema.migrate(database)
        by_hand(
            "DROP INDEX ml_models_one_active",
            _ROW + "(1, 'a', 'a', NULL, NULL, NULL, TRUE), (2, 'b', 'b', NULL, NULL, NULL, TRUE)",
        )
        found = {finding.code: finding.outcome for finding in await database.examine_tables()}
        assert found["several_active"] is AdoptionOutcome.OPEN
        assert found["index_missing"] is AdoptionOutcome.OPEN
        with pytest.raises(SeveralActive):
            await schema.migrate(database)
        with pytest.raises(SeveralActive):
            await schema.repair_tables(database, Repair(change_rows=True))
        assert by_hand("SELECT count(*) FROM ml_models WHERE is_active") == [(2,)]
        repaired = await schema.repair_tables(database, Repair(keep_active=1))
        assert AdoptionOutcome.OPEN not in {finding.outcome for finding in repaired}
        assert await database.examine_tables() == ()
        async with database.read() as session:
            assert await desired_state.read_desired(session) == desired_state.Desired(1, 1)
