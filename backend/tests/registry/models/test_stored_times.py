"""Times in a database whose zone is not UTC: at 10:00 UTC it is 12:00 in Berlin, in summer."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.postgres import ByHand, needs_direct, only_postgresql
from tests.registry.types import Add
from understudy.registry import schema
from understudy.registry.database.database import Database
from understudy.registry.deployment import desired_state
from understudy.registry.registry import Registry
from understudy.schemas.registry.model import ModelCreate, ModelOut, ModelUpdate
from understudy.schemas.registry.model_query import ModelQuery
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

_TEN = datetime(2024, 7, 1, 10, tzinfo=UTC)
_BY_HAND = (
    "INSERT INTO ml_models (model_id, model_name, file_path, created_at, updated_at)"
    " VALUES (50, 'by hand', 'models/x.onnx', '2024-07-01 12:00:00', '2024-07-01 12:00:00')"
)


@pytest.fixture
async def in_berlin(database_settings: Settings, by_hand: ByHand) -> AsyncIterator[Database]:
    """A migrated database in Berlin's zone, with a default for rows typed by hand."""
    with psycopg.connect(database_settings.database_url or "", autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET timezone TO 'Europe/Berlin'".encode())
    async with Database(database_settings) as database:
        await schema.migrate(database)
        by_hand("ALTER TABLE ml_models ALTER COLUMN created_at SET DEFAULT now()")
        yield database


def _is_now(value: datetime | None) -> bool:
    return value is not None and abs(datetime.now(UTC) - value) < timedelta(minutes=5)


async def _read_everywhere(registry: Registry, model_id: int) -> ModelOut:
    """Return the model from each way that answers it, and require that all of them agree."""
    got = await registry.get(model_id)
    listed = await registry.list(ModelQuery())
    [row] = (each for each in listed.models if each.model_id == model_id)
    assert row == ModelOut.model_validate(got.model_dump(include=set(ModelOut.model_fields)))
    return got


@needs_direct
@only_postgresql
async def test_a_row_typed_by_hand_has_the_times_of_the_databases_zone(
    in_berlin: Database, database_settings: Settings, by_hand: ByHand
) -> None:
    by_hand(_BY_HAND, "INSERT INTO ml_models (model_id, model_name, file_path) VALUES (51, 'default', 'models/x.onnx')")
    registry = Registry(database_settings, in_berlin)
    model = await _read_everywhere(registry, 50)
    assert (model.created_at, model.updated_at) == (_TEN, _TEN)
    assert _is_now((await _read_everywhere(registry, 51)).created_at)
    assert (await registry.get(51)).updated_at is None


@only_postgresql
async def test_a_row_that_understudy_wrote_is_in_utc(in_berlin: Database, database_settings: Settings) -> None:
    (database_settings.models_dir / "one.onnx").write_text("one")
    registry = Registry(database_settings, in_berlin)
    registered = await registry.register(ModelCreate(model_name="one", file_path="models/one.onnx"), "test")
    assert _is_now(registered.created_at)
    read = await _read_everywhere(registry, registered.model_id)
    assert (read.created_at, read.updated_at) == (registered.created_at, registered.updated_at)


@needs_direct
@only_postgresql
async def test_an_update_writes_its_own_time_and_an_activation_moves_none(
    in_berlin: Database, database_settings: Settings, by_hand: ByHand
) -> None:
    (database_settings.models_dir / "x.onnx").write_text("x")
    by_hand(_BY_HAND)
    registry = Registry(database_settings, in_berlin)
    await registry.ensure_file_record(50)
    async with in_berlin.write() as session:
        await desired_state.switch(session, 50, actor="test")
    active = await registry.get_active()
    assert (active.created_at, active.updated_at) == (_TEN, _TEN)
    updated = await registry.update(50, ModelUpdate(description="new"), "test")
    assert updated.created_at == _TEN
    assert _is_now(updated.updated_at)
    read = await _read_everywhere(registry, 50)
    assert (read.created_at, read.updated_at) == (updated.created_at, updated.updated_at)


@only_postgresql
async def test_a_trigger_of_the_users_writes_utc_in_a_transaction_of_ours(
    in_berlin: Database, database_settings: Settings, by_hand: ByHand
) -> None:
    """Supabase's moddatetime is such a trigger."""
    by_hand(
        _BY_HAND,
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.updated_at = now(); RETURN NEW; END $$",
        "CREATE TRIGGER touch BEFORE UPDATE ON ml_models FOR EACH ROW EXECUTE FUNCTION touch()",
    )
    registry = Registry(database_settings, in_berlin)
    await registry.update(50, ModelUpdate(description="new"), "test")
    assert _is_now((await _read_everywhere(registry, 50)).updated_at)


@needs_direct
@only_postgresql
async def test_columns_with_a_zone_are_exact_whoever_wrote_them(
    in_berlin: Database, database_settings: Settings, by_hand: ByHand
) -> None:
    (database_settings.models_dir / "one.onnx").write_text("one")
    by_hand(
        "ALTER TABLE ml_models ALTER COLUMN created_at TYPE TIMESTAMPTZ, ALTER COLUMN updated_at TYPE TIMESTAMPTZ",
        _BY_HAND,
        "UPDATE ml_models SET updated_at = '2024-07-01 05:00:00-05'",
    )
    registry = Registry(database_settings, in_berlin)
    model = await _read_everywhere(registry, 50)
    assert (model.created_at, model.updated_at) == (_TEN, _TEN)
    registered = await registry.register(ModelCreate(model_name="one", file_path="models/one.onnx"), "test")
    assert by_hand("SELECT count(*) FROM ml_models WHERE abs(extract(epoch FROM now() - created_at)) < 300") == [(1,)]
    assert _is_now((await _read_everywhere(registry, registered.model_id)).created_at)


async def test_where_the_zone_is_utc_times_are_read_as_they_are(registry: Registry, by_hand: ByHand, add: Add) -> None:
    await add("one")
    by_hand(_BY_HAND)
    assert (await _read_everywhere(registry, 50)).created_at == datetime(2024, 7, 1, 12, tzinfo=UTC)
