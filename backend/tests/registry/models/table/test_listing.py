import base64
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import event

from tests.postgres import ByHand, only_postgresql
from tests.registry.types import Add
from understudy.errors import RequestInvalid
from understudy.registry.database.database import Database
from understudy.registry.deployment import desired_state
from understudy.registry.registry import Registry
from understudy.schemas.registry.model_query import ModelQuery, SortKey

pytestmark = pytest.mark.anyio

_SORTS: tuple[SortKey, ...] = ("id", "name", "created_at", "updated_at", "accuracy", "version", "type")
_DESCENDING: tuple[SortKey, ...] = ("-id", "-name", "-created_at", "-updated_at", "-accuracy", "-version", "-type")


@pytest.fixture
def mixed(database: Database, by_hand: ByHand) -> None:
    """Twelve rows with ties and gaps in every column, as people write them."""
    rows = [
        f"({number}, 'model {number % 12:02}', 'm/{number}.onnx', {version}, {kind}, {accuracy}, {time}, {time})"
        for number, version, kind, accuracy, time in (
            (
                number,
                ("NULL", "'v1'", "'v2'")[number % 3],
                ("'yamnet'", "NULL")[number % 2],
                ("NULL", "0.9", "0.5", "0.9")[number % 4],
                ("NULL", "'2024-05-01 10:00:00'", "'2024-05-01 10:00:00.25'")[number % 3],
            )
            for number in range(1, 13)
        )
    ]
    by_hand(
        "INSERT INTO ml_models (model_id, model_name, file_path, version, model_type, accuracy, created_at, updated_at)"
        f" VALUES {', '.join(rows)}"
    )


async def _pages(registry: Registry, sort: SortKey, limit: int) -> AsyncIterator[list[int]]:
    cursor: str | None = None
    while True:
        page = await registry.list(ModelQuery(sort=sort, limit=limit, cursor=cursor))
        assert page.total == 12
        yield [model.model_id for model in page.models]
        if (cursor := page.next_cursor) is None:
            return


@pytest.mark.usefixtures("mixed")
async def test_pages_join_to_the_whole_list_in_every_order(registry: Registry) -> None:
    for sort in (*_SORTS, *_DESCENDING):
        (whole,) = [page async for page in _pages(registry, sort, 500)]
        for limit in (1, 5):
            joined = [model_id async for page in _pages(registry, sort, limit) for model_id in page]
            assert joined == whole, sort
        assert sorted(whole) == list(range(1, 13))


@pytest.mark.usefixtures("mixed")
async def test_rows_without_a_value_come_last_in_both_directions(registry: Registry) -> None:
    for sort in ("accuracy", "-accuracy"):
        models = (await registry.list(ModelQuery.model_validate({"sort": sort}))).models
        assert [model.accuracy is None for model in models] == [False] * 9 + [True] * 3
    assert [model.accuracy for model in models[:6]] == [0.9] * 6


@only_postgresql
async def test_accuracies_noted_in_percent_page_like_any_other(registry: Registry, by_hand: ByHand) -> None:
    by_hand(
        "ALTER TABLE ml_models DROP CONSTRAINT ml_models_accuracy_check",
        "ALTER TABLE ml_models ALTER accuracy TYPE NUMERIC",
        "INSERT INTO ml_models (model_name, file_path, accuracy) VALUES ('a', 'a', 92.123456), ('b', 'b', 92.5)",
    )
    first = await registry.list(ModelQuery(sort="accuracy", limit=1))
    second = await registry.list(ModelQuery(sort="accuracy", limit=1, cursor=first.next_cursor))
    assert [model.accuracy for model in first.models + second.models] == [92.123456, 92.5]


async def test_a_row_inserted_between_two_pages_shifts_neither(registry: Registry, add: Add) -> None:
    for name in ("b", "d", "f"):
        await add(name)
    first = await registry.list(ModelQuery(sort="name", limit=2))
    await add("a")
    await add("e")
    second = await registry.list(ModelQuery(sort="name", limit=2, cursor=first.next_cursor))
    assert [model.model_name for model in first.models + second.models] == ["b", "d", "e", "f"]


async def test_search_finds_a_part_in_any_case_and_takes_wildcards_literally(registry: Registry, add: Add) -> None:
    await add("YAMNet Human", description="for 100% certainty")
    await add("other", version="v_1", description="ÜBUNG")
    await add("third", version="vx1")

    async def found(text: str) -> list[str]:
        page = await registry.list(ModelQuery(q=text))
        assert page.total == len(page.models)
        return [model.model_name for model in page.models]

    assert await found("net hum") == ["YAMNet Human"]
    assert await found("100%") == ["YAMNet Human"]
    assert await found("v_1") == ["other"]
    assert await found("übung") == ["other"]
    assert await found("models/THIRD") == ["third"]
    assert await found("\\") == []
    assert await found("absent") == []
    assert len(await found("")) == 3


async def test_type_is_exact_and_every_filter_answers_the_active_model(
    registry: Registry, database: Database, add: Add
) -> None:
    live = await add("live", model_type="tensor")
    await add("head", model_type="yamnet")
    async with database.write() as session:
        await desired_state.switch(session, live.model_id, actor="api")
    page = await registry.list(ModelQuery(type="yamnet"))
    assert [model.model_name for model in page.models] == ["head"]
    assert page.active_model is not None
    assert (page.active_model.model_name, page.active_model.is_active) == ("live", True)


async def test_an_empty_registry_is_an_empty_list(registry: Registry) -> None:
    page = await registry.list(ModelQuery())
    assert (page.models, page.active_model, page.next_cursor, page.total) == ([], None, None, 0)


def _forged(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


async def test_a_cursor_that_was_not_given_out_is_refused(registry: Registry) -> None:
    forged = [
        *("x", "!!!", "äöü", _forged("name", "a", 1), _forged("accuracy", "a", 1), _forged("accuracy", 0.5, "1")),
        *(_forged("accuracy", [1], 1), _forged("accuracy", {"time": "never"}, 1), _forged("accuracy", 0.5)),
        *(_forged("accuracy", {"time": "2024-01-01"}, 1), _forged("accuracy", 0.5, 10**30)),
        *(_forged("accuracy", 0.5, True), base64.urlsafe_b64encode(b"[" * 2900).decode()),
    ]
    for cursor in forged:
        with pytest.raises(RequestInvalid):
            await registry.list(ModelQuery(sort="accuracy", cursor=cursor))
        with pytest.raises(RequestInvalid):
            await registry.list_history(cursor=cursor)
    for text in ("a\0b", "\ud800"):
        with pytest.raises(RequestInvalid):
            await registry.list(ModelQuery(sort="name", cursor=_forged("name", text, 1)))


async def test_history_continues_where_its_page_ended(registry: Registry, add: Add) -> None:
    for name in ("a", "b", "c"):
        await add(name)
    first = await registry.list_history(limit=2)
    second = await registry.list_history(limit=2, cursor=first.next_cursor)
    assert [entry.model_name for entry in first.entries + second.entries] == ["c", "b", "a"]
    assert second.next_cursor is None


async def test_every_order_walks_an_index_at_any_depth(registry: Registry, database: Database, by_hand: ByHand) -> None:
    """A page that sorts or reads the whole table would show in the plan of a statement that was run for it."""
    numbers = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20000)"
    time = "'2024-05-01 10:00:00'"
    by_hand(
        "INSERT INTO ml_models (model_id, model_name, file_path, version, model_type, accuracy, created_at, updated_at)"
        f" {numbers} SELECT n, 'model ' || n, 'a', 'v' || n, 'type ' || n, n / 20000.0, {time}, {time} FROM numbers",
        "INSERT INTO understudy_files (model_id, file_path, digest, bytes, fingerprint, compile_state, recorded_at)"
        f" SELECT model_id, file_path, 'd', 1, 'f', 'ready', {time} FROM ml_models",
        "ANALYZE",
    )
    run: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        if "AS page" in statement and not statement.startswith("EXPLAIN"):
            run.append((statement, values))

    event.listen(database._engine.sync_engine, "before_cursor_execute", note)
    for sort in (*_SORTS, *_DESCENDING):
        first = await registry.list(ModelQuery(sort=sort, limit=100))
        await registry.list(ModelQuery(sort=sort, limit=100, cursor=first.next_cursor))
    assert len(run) == 2 * len(_SORTS + _DESCENDING)
    explain = "EXPLAIN QUERY PLAN" if database.kind == "sqlite" else "EXPLAIN"
    async with database.read() as session:
        connection = await session.connection()
        for statement, values in run:
            plan = [str(line) for line in await connection.exec_driver_sql(f"{explain} {statement}", values)]
            # Joining the page's own rows with their records, which comes outside, may sort a hundred rows.
            page = _within(plan, "CO-ROUTINE page" if database.kind == "sqlite" else "Limit")
            assert not re.search(r"(?<!Incremental )Sort\b(?! Key)|TEMP B-TREE|Seq Scan", page), plan
            assert "ORDER BY ml_models.model_id" in statement or re.search("INDEX|Index (Only )?Scan", page), plan


def _within(plan: list[str], node: str) -> str:
    """The lines of a plan below `node`; SQLite gives (id, parent, unused, detail), PostgreSQL indents."""
    start = next(number for number, line in enumerate(plan) if node in line)
    if node == "Limit":
        return "\n".join(plan[start:])
    root = plan[start].partition(",")[0].strip("(")
    return "\n".join(line for line in plan if line.split(", ")[1] == root)
