"""Supabase's roles on a real PostgreSQL, with the rights that Supabase gives them in the schema public."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import errors, sql

from tests.postgres import PostgresServer
from understudy.migrations import AdoptionOutcome, Repair
from understudy.migrations.own_tables import OWN_TABLES
from understudy.models import Base
from understudy.registry import schema
from understudy.registry.database.database import Database
from understudy.registry.deployment import desired_state
from understudy.registry.registry import Registry
from understudy.schemas.registry.model import ModelCreate
from understudy.schemas.registry.model_query import ModelQuery
from understudy.settings import Settings

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

_ROLES = ("anon", "authenticated")
_SUPABASE = """
    CREATE ROLE anon NOLOGIN NOINHERIT; CREATE ROLE authenticated NOLOGIN NOINHERIT;
    CREATE ROLE service_role NOLOGIN NOINHERIT BYPASSRLS; CREATE ROLE team LOGIN;
"""
_GRANTS = """
    GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role; GRANT ALL ON SCHEMA public TO team;
    ALTER DEFAULT PRIVILEGES FOR ROLE team IN SCHEMA public GRANT ALL ON TABLES TO anon, authenticated, service_role;
    ALTER DEFAULT PRIVILEGES FOR ROLE team IN SCHEMA public GRANT ALL ON SEQUENCES TO anon, authenticated, service_role;
    ALTER DEFAULT PRIVILEGES FOR ROLE team IN SCHEMA public GRANT ALL ON FUNCTIONS TO anon, authenticated, service_role;
"""
_DOCUMENTED = """
    CREATE TABLE ml_models (
        model_id SERIAL PRIMARY KEY, model_name VARCHAR(255) NOT NULL UNIQUE, version VARCHAR(50),
        file_path VARCHAR(500) NOT NULL, description TEXT, model_type VARCHAR(100), accuracy DECIMAL(5, 4),
        created_at TIMESTAMP, updated_at TIMESTAMP, is_active BOOLEAN DEFAULT FALSE, created_by_user_id INT
    )
"""


@dataclass(frozen=True)
class Project:
    """A database as Supabase sets it up. Understudy connects as `team`, which is no superuser."""

    url: str
    settings: Settings

    def run_as(self, role: str, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url) as connection:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else [(cursor.rowcount,)]

    def assert_denied(self, role: str, statement: str) -> None:
        with pytest.raises(errors.InsufficientPrivilege):
            self.run_as(role, statement)


@pytest.fixture
def supabase_roles(postgres_server: PostgresServer) -> Iterator[None]:
    postgres_server.execute(sql.SQL(_SUPABASE).format())
    yield
    postgres_server.execute(sql.SQL("DROP ROLE anon, authenticated, service_role, team").format())


@pytest.fixture
def project(supabase_roles: None, postgres_url: str, settings: Settings) -> Project:
    with psycopg.connect(postgres_url) as connection:
        connection.execute(_GRANTS)
    as_team = postgres_url.replace("postgres@", "team@", 1)
    return Project(postgres_url, Settings(home=settings.home, database_url=as_team))


async def _register(project: Project, database: Database, name: str) -> int:
    (project.settings.models_dir / f"{name}.onnx").write_text(name)
    request = ModelCreate(model_name=name, file_path=f"models/{name}.onnx")
    return (await Registry(project.settings, database).register(request, "test")).model_id


def test_every_table_of_the_models_is_an_own_table_or_ml_models() -> None:
    assert {*Base.metadata.tables, "understudy_version"} == {*OWN_TABLES, "ml_models"}


async def test_the_api_reads_and_writes_nothing_of_ours_while_our_role_does(project: Project) -> None:
    async with Database(project.settings) as database:
        await schema.migrate(database)
        one, two = [await _register(project, database, name) for name in ("one", "two")]
        async with database.write() as session:
            await desired_state.switch(session, one, actor="test")
        await Registry(project.settings, database).delete(two, "test")
        listed = await Registry(project.settings, database).list(ModelQuery())
        assert ([each.model_id for each in listed.models], listed.total) == ([one], 1)
        assert await database.examine_tables() == ()
    for role in _ROLES:
        for table in OWN_TABLES:
            for statement in ("SELECT * FROM {}", "DELETE FROM {}", "TRUNCATE {}", "INSERT INTO {} DEFAULT VALUES"):
                project.assert_denied(role, statement.format(table))
        project.assert_denied(role, "UPDATE understudy_stage SET generation = 9")
        project.assert_denied(role, "SELECT setval('understudy_history_history_id_seq', 1)")


async def test_ml_models_made_by_a_migration_is_closed_too(project: Project) -> None:
    async with Database(project.settings) as database:
        await schema.migrate(database)
        await _register(project, database, "one")
    for role in _ROLES:
        assert project.run_as(role, "SELECT * FROM ml_models") == []
        assert project.run_as(role, "UPDATE ml_models SET is_active = TRUE") == [(0,)]
        assert project.run_as(role, "DELETE FROM ml_models") == [(0,)]
        project.assert_denied(role, "INSERT INTO ml_models (model_name, file_path) VALUES ('theirs', 'models/x.onnx')")
        project.assert_denied(role, "TRUNCATE ml_models CASCADE")
    assert project.run_as("service_role", "SELECT model_name FROM ml_models") == [("one",)]
    project.run_as("postgres", "CREATE POLICY theirs ON ml_models FOR SELECT TO anon USING (true)")
    assert project.run_as("anon", "SELECT model_name FROM ml_models") == [("one",)]


async def test_rights_given_again_let_nothing_through_and_are_revoked_by_a_repair(project: Project) -> None:
    async with Database(project.settings) as database:
        await schema.migrate(database)
        await _register(project, database, "one")
        for rights in ("TABLES", "SEQUENCES"):
            project.run_as("team", f"GRANT ALL ON ALL {rights} IN SCHEMA public TO anon, authenticated")
        for table in OWN_TABLES:
            assert project.run_as("anon", f"SELECT * FROM {table}") == []
        project.assert_denied("anon", "INSERT INTO understudy_counts (models, replaced) VALUES (5, 0)")
        found = await database.examine_tables()
        assert [(each.code, each.outcome) for each in found] == [("tables_open", AdoptionOutcome.OPEN)] * 2
        assert {each.outcome for each in await schema.repair_tables(database, Repair())} == {AdoptionOutcome.REPAIRED}
        assert await database.examine_tables() == ()
    project.assert_denied("anon", "TRUNCATE understudy_history")


async def test_tables_of_an_earlier_day_are_closed_when_the_roles_come(
    postgres_server: PostgresServer, postgres_url: str, settings: Settings
) -> None:
    on_postgresql = Settings(home=settings.home, database_url=postgres_url)
    async with Database(on_postgresql) as database:
        await schema.migrate(database)
        assert await database.examine_tables() == ()
        postgres_server.execute(sql.SQL("CREATE ROLE anon NOLOGIN").format())
        try:
            assert {each.code for each in await database.examine_tables()} == {"tables_open"}
            await schema.repair_tables(database, Repair())
            assert await database.examine_tables() == ()
            assert await schema.repair_tables(database, Repair()) == ()
        finally:
            await database.dispose()
            postgres_server.execute(sql.SQL("DROP ROLE anon").format())


async def test_ml_models_that_was_there_is_reported_with_the_sql_and_stays_usable_for_pages(project: Project) -> None:
    project.run_as("team", _DOCUMENTED)
    async with Database(project.settings) as database:
        report = await schema.migrate(database)
        [open_table] = [each for each in report.findings if each.code == "ml_models_open"]
        assert open_table.outcome is AdoptionOutcome.OPEN
        assert open_table == next(each for each in await database.examine_tables() if each.code == "ml_models_open")
        one = await _register(project, database, "one")
        # The counting triggers and the cascade work for a role that may touch none of our tables.
        project.run_as(
            "authenticated", "INSERT INTO ml_models (model_name, file_path) VALUES ('theirs', 'models/x.h5')"
        )
        assert (await Registry(project.settings, database).list(ModelQuery())).total == 2
        project.run_as("authenticated", f"DELETE FROM ml_models WHERE model_id = {one}")
        assert (await Registry(project.settings, database).list(ModelQuery())).total == 1
        assert project.run_as("team", "SELECT * FROM understudy_files") == []
        enable, policy = re.findall(r"(?:ALTER TABLE|CREATE POLICY) [^;]+;", open_table.detail)
        project.run_as("team", enable)
        assert project.run_as("anon", "SELECT * FROM ml_models") == []
        project.run_as("team", policy)
        assert project.run_as("anon", "SELECT model_name FROM ml_models") == [("theirs",)]
        assert project.run_as("anon", "DELETE FROM ml_models") == [(0,)]
        assert (await Registry(project.settings, database).list(ModelQuery())).total == 1
        assert await database.examine_tables() == ()


async def test_the_sql_of_the_page_lets_pages_read_and_not_write(project: Project) -> None:
    page = (Path(__file__).resolve().parents[4] / "docs" / "supabase.md").read_text(encoding="utf-8")
    [block] = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    project.run_as("team", _DOCUMENTED)
    async with Database(project.settings) as database:
        await schema.migrate(database)
        one = await _register(project, database, "one")
        for statement in block.strip().split(";")[:-1]:
            project.run_as("team", statement)
        assert project.run_as("authenticated", "SELECT model_id FROM ml_models") == [(one,)]
        assert project.run_as("anon", "SELECT model_id FROM ml_models") == []
        for role in _ROLES:
            project.assert_denied(role, "UPDATE ml_models SET is_active = TRUE")
            project.assert_denied(role, "INSERT INTO ml_models (model_name, file_path) VALUES ('a', 'models/a.h5')")
            project.assert_denied(role, "DELETE FROM ml_models")
        two = await _register(project, database, "two")
        assert (await Registry(project.settings, database).list(ModelQuery())).total == 2
        assert {each.outcome for each in await database.examine_tables()} <= {AdoptionOutcome.NOTED}
        assert two == one + 1


async def test_ml_models_that_the_api_may_only_read_is_noted(project: Project) -> None:
    project.run_as("team", _DOCUMENTED)
    project.run_as("team", "REVOKE INSERT, UPDATE, DELETE ON ml_models FROM anon, authenticated")
    async with Database(project.settings) as database:
        report = await schema.migrate(database)
    assert {each.outcome for each in report.findings if each.code == "ml_models_open"} == {AdoptionOutcome.NOTED}


async def test_another_role_with_rights_is_not_shut_out(project: Project) -> None:
    """A server that connects as a role of its own would find every table empty."""
    project.run_as("postgres", "CREATE ROLE runner LOGIN")
    project.run_as("postgres", "GRANT USAGE ON SCHEMA public TO runner")
    project.run_as("postgres", "ALTER DEFAULT PRIVILEGES FOR ROLE team IN SCHEMA public GRANT ALL ON TABLES TO runner")
    try:
        async with Database(project.settings) as database:
            report = await schema.migrate(database)
            left = [each for each in report.findings if each.code == "tables_open"]
            assert {each.outcome for each in left} == {AdoptionOutcome.OPEN}
            assert "runner would lose access" in left[0].detail
            assert project.run_as("runner", "SELECT generation FROM understudy_stage") == [(0,)]
            for each in left:
                for statement in re.findall(r"(?:ALTER TABLE|CREATE POLICY|REVOKE) [^;]+;", each.detail):
                    project.run_as("team", statement)
            assert await database.examine_tables() == ()
        assert project.run_as("runner", "SELECT generation FROM understudy_stage") == [(0,)]
        project.assert_denied("anon", "SELECT * FROM understudy_stage")
    finally:
        project.run_as("postgres", "DROP OWNED BY runner")
        project.run_as("postgres", "DROP ROLE runner")
