import base64
import json
from collections.abc import AsyncIterator

import pytest

from app.errors import RequestInvalid
from app.registry import stage
from app.registry.database import Database
from app.registry.registry import Registry
from app.schemas.query import ModelQuery, SortKey
from app.settings import Settings
from tests.postgres import ByHand, only_postgresql
from tests.registry.types import Add

pytestmark = pytest.mark.anyio

_SORTS: tuple[SortKey, ...] = ("id", "name", "created_at", "updated_at", "accuracy", "version", "type")
_FALLING: tuple[SortKey, ...] = ("-id", "-name", "-created_at", "-updated_at", "-accuracy", "-version", "-type")


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
    for sort in (*_SORTS, *_FALLING):
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


async def test_a_row_that_comes_in_between_shifts_no_page(registry: Registry, add: Add) -> None:
    for name in ("b", "d", "f"):
        await add(name)
    first = await registry.list(ModelQuery(sort="name", limit=2))
    await add("a")
    await add("e")
    second = await registry.list(ModelQuery(sort="name", limit=2, cursor=first.next_cursor))
    assert [model.model_name for model in first.models + second.models] == ["b", "d", "e", "f"]


async def test_search_is_for_a_part_in_any_case_and_takes_wildcards_literally(registry: Registry, add: Add) -> None:
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


async def test_type_is_exact_and_the_active_model_is_there_whatever_is_filtered(
    registry: Registry, database: Database, add: Add
) -> None:
    live = await add("live", model_type="tensor")
    await add("head", model_type="yamnet")
    async with database.write() as session:
        await stage.switch(session, live.model_id, actor="api")
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
            await registry.history(cursor=cursor)
    for text in ("a\0b", "\ud800"):
        with pytest.raises(RequestInvalid):
            await registry.list(ModelQuery(sort="name", cursor=_forged("name", text, 1)))


async def test_history_goes_on_where_its_page_ended(registry: Registry, add: Add) -> None:
    for name in ("a", "b", "c"):
        await add(name)
    first = await registry.history(limit=2)
    second = await registry.history(limit=2, cursor=first.next_cursor)
    assert [entry.model_name for entry in first.entries + second.entries] == ["c", "b", "a"]
    assert second.next_cursor is None


async def test_the_default_order_walks_the_primary_key(
    database: Database, database_settings: Settings, by_hand: ByHand
) -> None:
    """A sort of the whole table would show as a step of its own in the plan."""
    statement = (
        "SELECT * FROM ml_models LEFT JOIN understudy_files USING (model_id)"
        " WHERE model_id > 500 ORDER BY model_id LIMIT 101"
    )
    if database_settings.database_url is None:
        plan = str(by_hand(f"EXPLAIN QUERY PLAN {statement}"))
        assert "TEMP B-TREE" not in plan
    else:
        by_hand(
            "INSERT INTO ml_models (model_name, file_path)"
            " SELECT 'model ' || number, 'a.onnx' FROM generate_series(1, 20000) AS number",
        )
        plan = str(by_hand("ANALYZE ml_models", f"EXPLAIN {statement}"))
        assert "ml_models_pkey" in plan
        assert "Sort" not in plan
