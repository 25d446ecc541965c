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
from understudy.errors import ModelNotFound
from understudy.registry import schema
from understudy.registry.database.database import Database
from understudy.registry.registry import Registry
from understudy.schemas.registry.model import ModelCreate, ModelUpdate
from understudy.schemas.registry.model_query import ModelQuery
from understudy.settings import Settings

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

_RELATIONS = """
    SELECT n.nspname, c.relname, c.relkind::text, c.relnatts, c.relhastriggers
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY 1, 2
"""
_SORTS = ("-created_at", "accuracy", "version", "-type")


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


async def read_every_page(registry: Registry, sort: str, limit: int = 2) -> list[int]:
    query = ModelQuery.model_validate({"sort": sort, "limit": limit})
    seen: list[int] = []
    while True:
        page = await registry.list(query)
        assert page.models
        seen += [model.model_id for model in page.models]
        if page.next_cursor is None:
            assert page.total == len(seen)
            return seen
        query = query.model_copy(update={"cursor": page.next_cursor})


async def walk(services: Services, accuracy: float | None) -> None:
    """Every operation on models, through the use-cases, beside the row that was there before."""
    registry = services.registry
    by_hand = await registry.get_active()
    activated = await services.activation.activate(by_hand.model_id, "test")
    assert (activated.row.model_id, activated.row.is_active) == (by_hand.model_id, True)
    began = datetime.now(UTC)
    one = await registry.register(ModelCreate(model_name="One", file_path="models/one.onnx"), "test")
    given: dict[str, object] = {
        "model_name": "Two",
        "file_path": "models/two.onnx",
        "model_type": "yamnet",
        "version": "2",
    }
    given |= {} if accuracy is None else {"accuracy": accuracy}
    two = await registry.register(ModelCreate.model_validate(given), "test")
    for stored in (one, two):
        assert stored == await registry.get(stored.model_id)
        assert (stored.is_active, stored.file_exists, stored.created_by_user_id) == (False, True, None)
        assert stored.created_at is not None
        midnight = stored.created_at.replace(hour=0, minute=0, second=0, microsecond=0) == stored.created_at
        assert midnight or abs(stored.created_at - began) < timedelta(minutes=1)
    assert (two.version, two.model_type, two.accuracy) == ("2", "yamnet", accuracy)
    page = await registry.list(ModelQuery(type="yamnet", q="tw"))
    assert ([model.model_name for model in page.models], page.total) == (["Two"], 1)
    assert (await registry.list(ModelQuery(type="unheard"))).total == 0
    with pytest.raises(ModelNotFound):
        await services.model_resolver.require_ready("Two", "another")
    for sort in _SORTS:
        assert set(await read_every_page(registry, sort)) == {by_hand.model_id, one.model_id, two.model_id}, sort
    changed = await registry.update(one.model_id, ModelUpdate(model_name="One b", model_type="log_mel"), "test")
    assert (changed.model_name, changed.model_type) == ("One b", "log_mel")
    await services.activation.activate(two.model_id, "test")
    assert (await registry.get(two.model_id)).is_active
    previous, _ = await services.activation.find_previous()
    assert previous == by_hand.model_id
    await registry.delete(one.model_id, "test")
    events = [entry.event for entry in (await registry.list_history(one.model_id)).entries]
    assert {"registered", "updated", "deleted"} <= set(events)
    assert (await registry.list(ModelQuery())).total == 2


@pytest.mark.parametrize("case", ADOPTED, ids=lambda case: case.title)
async def test_a_table_is_adopted_and_then_works(
    case: AdoptedTable, connect: Callable[..., Settings], postgres_url: str, role: str, shared_store: None
) -> None:
    settings = connect(with_role=case.with_role, search_path=case.search_path, timezone=case.timezone)
    table = "app.ml_models" if case.search_path else "ml_models"
    grant = ["GRANT CREATE ON SCHEMA public TO {role}"] if case.with_role else []
    prepared = [*case.statements, case.row.replace("ml_models", table), *grant]
    run_sql(postgres_url, *(each.replace("{role}", role) for each in prepared))
    before = read(postgres_url, f"SELECT * FROM {table}")
    async with Database(settings) as database:
        report = await schema.migrate(database)
    assert case.noted in " ".join(finding.detail for finding in report.findings)
    assert read(postgres_url, f"SELECT * FROM {table}") == before
    async with open_services(settings, "test") as services:
        await walk(services, case.accuracy)
    # The tests of this process share one compiled store.
    left = [each for each in (await Doctor(settings).examine(fix=False)).left if each.code != "compiled_unreferenced"]
    assert left == []
    assert [name for _, name, *_ in read(postgres_url, _RELATIONS)].count("ml_models") == 1


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.title)
async def test_a_table_is_refused_with_the_sql_that_helps(
    case: RefusedTable, connect: Callable[..., Settings], postgres_url: str, role: str
) -> None:
    settings = connect(with_role=case.with_role, search_path=case.search_path)
    prepared = [*case.statements]
    if case.row is not None:
        name = "models" if any("VIEW ml_models" in each for each in case.statements) else None
        prepared.append(case.row.replace("ml_models", name) if name else case.row)
    run_sql(postgres_url, *(each.replace("{role}", role) for each in prepared))
    before = read(postgres_url, _RELATIONS)
    async with Database(settings) as database:
        with pytest.raises(case.error, match=re.escape(case.reason)) as refusal:
            await schema.migrate(database)
    assert case.sql in refusal.value.remedy
    assert "Nothing was changed." in refusal.value.detail
    assert read(postgres_url, _RELATIONS) == before
    found = {each.code: each.what for each in (await Doctor(settings).examine(fix=False)).left}
    assert set(found) == {"not_migrated", case.error.code}
    assert case.reason in found[case.error.code]
    fixed = await Doctor(settings).examine(fix=True)
    assert {each.code for each in fixed.left} == {case.error.code}
    assert read(postgres_url, _RELATIONS) == before
    cure = case.cure or tuple(refusal.value.remedy.partition("then try again: ")[2].rstrip(";").split("; "))
    run_sql(postgres_url, *(each.replace("{role}", role) for each in cure))
    async with Database(settings) as database:
        await schema.migrate(database)
        registry = Registry(settings, database)
        one = await registry.register(ModelCreate(model_name="One", file_path="models/one.onnx"), "test")
        await registry.update(one.model_id, ModelUpdate(version="v2"), "test")
        for sort in _SORTS:
            assert one.model_id in await read_every_page(registry, sort, limit=1)
        await registry.delete(one.model_id, "test")


def test_the_page_lists_every_case() -> None:
    page = (Path(__file__).resolve().parents[4] / "docs" / "databases.md").read_text("utf-8")
    listed = re.findall(r"^\| (.+?) \|", page, flags=re.MULTILINE)
    titles = [case.title for case in (*ADOPTED, *REFUSED)]
    assert [title for title in titles if title not in listed] == []
