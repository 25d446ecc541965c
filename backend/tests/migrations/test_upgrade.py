import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from tests.postgres import ByHand, only_postgresql
from understudy.errors import Misconfigured
from understudy.migrations.revision import NEWEST, VERSION_TABLE
from understudy.models import Base
from understudy.registry import schema
from understudy.registry.database.database import Database
from understudy.settings import Settings

pytestmark = pytest.mark.anyio


def _differences(connection: Connection) -> list[object]:
    options = {"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": True}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata))


async def test_an_empty_database_gets_every_table_and_needs_no_repair(database_settings: Settings) -> None:
    async with Database(database_settings) as database:
        report = await schema.migrate(database)
        assert (report.revision_before, report.adopted, report.findings) == (None, False, ())
        assert report.changed
        assert await database.examine_tables() == ()


async def test_a_second_run_changes_nothing(database_settings: Settings) -> None:
    async with Database(database_settings) as database:
        await schema.migrate(database)
        report = await schema.migrate(database)
        assert not report.changed
        assert report.findings == ()


async def test_revisions_and_models_describe_the_same_schema(database_settings: Settings) -> None:
    async with Database(database_settings) as database:
        await schema.migrate(database)
        async with database.read() as session:
            assert await (await session.connection()).run_sync(_differences) == []


@only_postgresql
async def test_a_documented_table_made_by_hand_compares_equal_too(
    database_settings: Settings, by_hand: ByHand, documented: str
) -> None:
    """SQLite calls the key of a hand-made table nullable and its constraints nameless."""
    by_hand(documented)
    async with Database(database_settings) as database:
        await schema.migrate(database)
        async with database.read() as session:
            assert await (await session.connection()).run_sync(_differences) == []


def test_processes_that_start_at_once_migrate_one_after_the_other(database_settings: Settings) -> None:
    program = (
        "import asyncio\n"
        "from understudy.registry import schema\n"
        "from understudy.registry.database.database import Database\n"
        "from understudy.settings import Settings\n"
        "async def main():\n"
        "    async with Database(Settings()) as database:\n"
        "        print((await schema.migrate(database)).changed)\n"
        "asyncio.run(main())\n"
    )
    environment = os.environ | {
        "UNDERSTUDY_HOME": str(database_settings.home),
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }
    if database_settings.database_url is not None:
        environment["DATABASE_URL"] = database_settings.database_url
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    answers = [process.communicate(timeout=120) for process in processes]
    assert sorted(out.strip() for out, _ in answers) == ["False", "False", "True"], answers


async def test_engines_that_start_at_once_migrate_one_after_the_other(database_settings: Settings) -> None:
    databases = [Database(database_settings) for _ in range(4)]
    reports = await asyncio.gather(*(schema.migrate(database) for database in databases))
    for database in databases:
        await database.dispose()
    assert sorted(report.changed for report in reports) == [False, False, False, True]


async def test_a_database_of_a_newer_version_is_refused(database_settings: Settings) -> None:
    async with Database(database_settings) as database:
        await schema.migrate(database)
        async with database.write() as session:
            await session.execute(text("UPDATE understudy_version SET version_num = '9999'"))
        with pytest.raises(Misconfigured, match="9999"):
            await schema.migrate(database)


def test_the_newest_revision_that_a_start_compares_with_is_the_last_one_there_is() -> None:
    config = Config()
    config.set_main_option("script_location", "understudy:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [NEWEST]
