import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from tests.postgres import ByHand, only_postgresql
from tests.registry.types import Add
from understudy.errors import DatabaseUnavailable, Misconfigured
from understudy.models import MlModel
from understudy.registry import schema
from understudy.registry.database.database import Database
from understudy.registry.database.slots import Use
from understudy.registry.deployment import desired_state
from understudy.registry.models.table import rows
from understudy.registry.registry import Registry
from understudy.schemas.registry.model_query import ModelQuery
from understudy.settings import Settings

pytestmark = pytest.mark.anyio


async def test_a_write_that_raises_leaves_nothing_behind(database: Database) -> None:
    async def half_done() -> None:
        async with database.write() as session:
            session.add(MlModel(model_id=1, model_name="a", file_path="a"))
            await session.flush()
            raise KeyError

    with pytest.raises(KeyError):
        await half_done()
    async with database.read() as session:
        assert await session.scalar(select(MlModel.model_id)) is None


async def test_writers_wait_for_each_other_instead_of_failing(database: Database, add: Add) -> None:
    model = await add("counted")

    async def count() -> None:
        async with database.write() as session:
            row = (await rows.get(session, model.model_id, for_update=True)).model
            await asyncio.sleep(0)
            row.created_by_user_id = (row.created_by_user_id or 0) + 1

    await asyncio.gather(*(count() for _ in range(12)))
    async with database.read() as session:
        assert await session.scalar(select(MlModel.created_by_user_id)) == 12


async def test_readers_do_not_wait_for_a_writer(database: Database, add: Add) -> None:
    await add("head")
    async with database.write() as writing:
        await desired_state.switch(writing, 1, actor="api")
        async with asyncio.timeout(20), database.read() as reading:
            assert await desired_state.poll(reading) == desired_state.DesiredStatePoll(0, None, None, 0)


@only_postgresql
async def test_the_servers_own_looks_need_no_transaction_and_leave_none_behind(database: Database) -> None:
    """Each server looks several times a second."""

    async def read_status(session: AsyncSession) -> str:
        await session.execute(text("SELECT 1"))
        driver: Any = (await (await session.connection()).get_raw_connection()).driver_connection
        return str(driver.info.transaction_status.name)

    for use, status in ((Use.OWN, "IDLE"), (Use.READ, "INTRANS"), (Use.OWN, "IDLE")):
        async with database.read(use) as session:
            assert await read_status(session) == status
    async with database.write(Use.OWN) as session:
        assert await read_status(session) == "INTRANS"


async def test_tables_that_are_missing_are_an_outage_with_its_remedy(database_settings: Settings) -> None:
    async with Database(database_settings) as database:
        with pytest.raises(DatabaseUnavailable) as refusal:
            await Registry(database_settings, database).list(ModelQuery())
    assert "understudy migrate" in refusal.value.remedy


async def test_a_missing_deployment_row_is_an_outage_with_its_remedy(database: Database, by_hand: ByHand) -> None:
    by_hand("DELETE FROM understudy_stage")
    with pytest.raises(DatabaseUnavailable, match="understudy_stage"):
        async with database.read() as session:
            await desired_state.poll(session)


@pytest.mark.postgres
async def test_connections_cut_by_the_server_are_replaced(postgres_url: str, settings: Settings) -> None:
    cut = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()")
    async with Database(Settings(home=settings.home, database_url=postgres_url)) as database:
        await schema.migrate(database)
        with pytest.raises(DatabaseUnavailable):
            async with database.read() as session:
                await session.execute(cut)
        async with database.read() as session:
            assert (await desired_state.poll(session)).generation == 0


@pytest.mark.parametrize("address", ["//someone:secret@/db?", "///db?user=someone&password=secret&"])
async def test_a_server_that_is_not_there_is_an_outage_without_its_password(
    settings: Settings, tmp_path: Path, address: str
) -> None:
    address = f"postgresql:{address}host={tmp_path}"
    async with Database(Settings(home=settings.home, database_url=address)) as database:
        with pytest.raises(DatabaseUnavailable) as refusal:
            await schema.migrate(database)
        assert "secret" not in f"{refusal.value.detail} {database.address}"
        assert tmp_path.name in database.address


async def test_a_database_file_that_cannot_be_opened_is_an_outage(settings: Settings) -> None:
    (settings.var_dir / "understudy.db").mkdir()
    async with Database(settings) as database:
        with pytest.raises(DatabaseUnavailable):
            await schema.migrate(database)


async def test_a_folder_that_cannot_be_made_is_an_outage(settings: Settings) -> None:
    (settings.home / "file").write_bytes(b"")
    with pytest.raises(DatabaseUnavailable, match="cannot be created"):
        Database(Settings(home=settings.home / "file"))


async def test_an_option_the_driver_does_not_know_is_named(settings: Settings) -> None:
    address = "postgresql://someone@localhost/db?pgbouncer=true"
    async with Database(Settings(home=settings.home, database_url=address)) as database:
        with pytest.raises(Misconfigured, match="pgbouncer"):
            await schema.migrate(database)


@pytest.mark.parametrize("address", ["postgresql://a:b@host:secret/db", "//[secret"])
async def test_an_address_that_cannot_be_read_is_refused_without_its_text(settings: Settings, address: str) -> None:
    with pytest.raises(Misconfigured) as refusal:
        Database(Settings(home=settings.home, database_url=address))
    assert "secret" not in refusal.value.detail


@pytest.mark.parametrize("address", ["mysql://host/db", "nonsense", "sqlite://"])
async def test_other_databases_are_refused_at_start(settings: Settings, address: str) -> None:
    with pytest.raises(Misconfigured):
        Database(Settings(home=settings.home, database_url=address))


async def test_a_file_that_is_not_a_database_is_named_with_a_remedy(settings: Settings) -> None:
    (settings.var_dir / "understudy.db").write_bytes(b"these bytes are not a database" * 100)
    async with Database(settings) as database:
        with pytest.raises(DatabaseUnavailable, match="not a database") as refusal:
            await schema.migrate(database)
    assert "backup" in refusal.value.remedy
