"""Tables that teams really have: each is adopted and then works, or is refused before anything is written."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.migrations.adoption.foreign_tables import ADOPTED, REFUSED, AdoptedTable, RefusedTable
from tests.types import ModelFactory
from understudy.container import Services, open_services
from understudy.doctor.doctor import Doctor
from understudy.errors import TableRefused
from understudy.registry import schema
from understudy.registry.database.database import Database
from understudy.schemas.registry.model import ModelCreate, ModelUpdate
from understudy.schemas.registry.model_query import ModelQuery
from understudy.settings import Settings

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

_RELATIONS = """
    SELECT n.nspname, c.relname, c.relkind::text, c.relnatts, c.relhastriggers
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY 1, 2
"""
_SORTS = ("id", "name", "created_at", "-updated_at", "accuracy", "version", "-type")


def run_sql(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def read(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


@pytest.fixture
def role(postgres_url: str) -> Iterator[str]:
    """A role without any right of its own, which is dropped after the test."""
    name = f"app_{uuid4().hex}"
    run_sql(postgres_url, f"CREATE ROLE {name} LOGIN")
    yield name
    run_sql(postgres_url, f"DROP OWNED BY {name} CASCADE", f"DROP ROLE {name}")


@pytest.fixture
def connect(settings: Settings, postgres_url: str, role: str, make_model: ModelFactory) -> Callable[..., Settings]:
    """Settings on the database, by the superuser or by `role`, with session options as a client would give them."""
    for name, winner in (("by_hand", 0), ("one", 1), ("two", 2)):
        make_model(settings.models_dir / f"{name}.onnx", winner=winner)

    def build(*, with_role: bool, search_path: str | None = None, timezone: str | None = None) -> Settings:
        options = {"search_path": search_path, "TimeZone": timezone}
        given = "%20".join(f"-c%20{name}%3D{value}" for name, value in options.items() if value)
        address = postgres_url.replace("postgres@", f"{role}@") if with_role else postgres_url
        return Settings(home=settings.home, database_url=f"{address}&options={given}" if given else address)

    return build


async def walk(services: Services) -> None:
    """Every operation on models, through the use-cases, beside the row that was there before."""
    registry = services.registry
    listed = await registry.list(ModelQuery())
    if (active := listed.active_model) is not None:
        assert active.model_name in {"by hand", "by_hand"}
        assert (await services.activation.activate(active.model_id, "test")).model.identity.model_id == active.model_id
    began = datetime.now(UTC)
    one = await registry.register(ModelCreate(model_name="One", file_path="models/one.onnx"), "test")
    two = await registry.register(
        ModelCreate(model_name="Two", file_path="models/two.onnx", model_type="yamnet"), "test"
    )
    for stored in (one, two):
        assert stored == await registry.get(stored.model_id)
        assert (stored.is_active, stored.file_exists, stored.created_by_user_id) == (False, True, None)
        assert stored.created_at is not None
        midnight = stored.created_at.replace(hour=0, minute=0, second=0, microsecond=0) == stored.created_at
        assert midnight or abs(stored.created_at - began) < timedelta(minutes=1)
    page = await registry.list(ModelQuery(type="yamnet", q="tw"))
    assert ([model.model_name for model in page.models], page.total) == (["Two"], 1)
    assert (await registry.list(ModelQuery(type="unheard"))).total == 0
    everything = 2 + listed.total
    for sort in _SORTS:
        query = ModelQuery.model_validate({"sort": sort, "limit": 1})
        seen = []
        while True:
            page = await registry.list(query)
            seen += [model.model_id for model in page.models]
            if page.next_cursor is None:
                break
            query = ModelQuery.model_validate({"sort": sort, "limit": 1, "cursor": page.next_cursor})
        assert len(set(seen)) == len(seen) == page.total == everything, sort
    changed = await registry.update(one.model_id, ModelUpdate(model_name="One b", model_type="log_mel"), "test")
    assert (changed.model_name, changed.model_type) == ("One b", "log_mel")
    await services.activation.activate(one.model_id, "test")
    await services.activation.activate(two.model_id, "test")
    assert (await registry.get(two.model_id)).is_active
    previous, _ = await services.activation.find_previous()
    assert previous == one.model_id
    await registry.delete(one.model_id, "test")
    events = [entry.event for entry in (await registry.list_history(one.model_id)).entries]
    assert {"registered", "updated", "activated", "deactivated", "deleted"} <= set(events)
    assert (await registry.list(ModelQuery())).total == everything - 1


@pytest.mark.parametrize("case", ADOPTED, ids=lambda case: case.title)
async def test_a_table_is_adopted_and_then_works(
    case: AdoptedTable, connect: Callable[..., Settings], postgres_url: str, role: str, shared_store: None
) -> None:
    settings = connect(with_role=case.with_role, search_path=case.search_path, timezone=case.timezone)
    schema_name = "app." if case.search_path else ""
    grant = ["GRANT CREATE ON SCHEMA public TO {role}"] if case.with_role else []
    prepared = [*case.statements, case.row.replace("ml_models", f"{schema_name}ml_models"), *grant]
    run_sql(postgres_url, *(each.replace("{role}", role) for each in prepared))
    table = f"{schema_name}ml_models"
    before = read(postgres_url, f"SELECT * FROM {table}")
    async with Database(settings) as database:
        report = await schema.migrate(database)
    assert case.noted in " ".join(finding.detail for finding in report.findings)
    assert read(postgres_url, f"SELECT * FROM {table}") == before
    async with open_services(settings, "test") as services:
        assert (await services.registry.get_active()).is_active
        await walk(services)
    # The tests of this process share one compiled store.
    left = [each for each in (await Doctor(settings).examine(fix=False)).left if each.code != "compiled_unreferenced"]
    assert left == []
    names = {name for _, name, *_ in read(postgres_url, _RELATIONS)}
    assert len([each for each in read(postgres_url, _RELATIONS) if each[1] == "ml_models"]) == 1, names


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.title)
async def test_a_table_is_refused_with_the_sql_that_helps(
    case: RefusedTable, connect: Callable[..., Settings], postgres_url: str, role: str, shared_store: None
) -> None:
    settings = connect(with_role=case.with_role, search_path=case.search_path)
    prepared = [*case.statements]
    if case.row is not None:
        name = "models" if any("VIEW ml_models" in each for each in case.statements) else None
        prepared.append(case.row.replace("ml_models", name) if name else case.row)
    run_sql(postgres_url, *(each.replace("{role}", role) for each in prepared))
    before = read(postgres_url, _RELATIONS)
    for _ in range(2):
        async with Database(settings) as database:
            with pytest.raises(TableRefused, match=re.escape(case.reason)) as refusal:
                await schema.migrate(database)
        assert case.sql in refusal.value.remedy
    assert refusal.value.status == 503
    assert read(postgres_url, _RELATIONS) == before
    examined = await Doctor(settings).examine(fix=False)
    found = {each.code: each.what for each in examined.left}
    assert set(found) == {"not_migrated", "table_refused"}
    assert case.reason in found["table_refused"]
    fixed = await Doctor(settings).examine(fix=True)
    assert {each.code for each in fixed.left} == {"table_refused"}
    assert read(postgres_url, _RELATIONS) == before
    cure = case.cure or tuple(refusal.value.remedy.partition("then try again: ")[2].rstrip(";").split("; "))
    run_sql(postgres_url, *(each.replace("{role}", role) for each in cure))
    async with open_services(settings, "test") as services:
        await walk(services)


def test_the_page_lists_every_case() -> None:
    page = (Path(__file__).resolve().parents[4] / "docs" / "databases.md").read_text("utf-8")
    listed = re.findall(r"^\| (.+?) \|", page, flags=re.MULTILINE)
    titles = [case.title for case in (*ADOPTED, *REFUSED)]
    assert [title for title in titles if title not in listed] == []
