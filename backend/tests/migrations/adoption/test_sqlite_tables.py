"""Hand-made tables of SQLite, which stores any value in any column: each works or is refused untouched."""

import pytest

from tests.postgres import ByHand
from understudy.doctor.doctor import Doctor
from understudy.errors import TableRefused
from understudy.registry import schema
from understudy.registry.database.database import Database
from understudy.registry.registry import Registry
from understudy.schemas.registry.model import ModelCreate
from understudy.schemas.registry.model_query import ModelQuery
from understudy.settings import Settings

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("database_settings", ["sqlite"], indirect=True)]

_INSERT = "INSERT INTO ml_models (model_name, file_path, {column}) VALUES ('by hand', 'a.onnx', {value})"
_NAMES = "model_name TEXT UNIQUE, file_path TEXT"


@pytest.mark.parametrize(
    ("statements", "reason", "cured"),
    [
        ([f"CREATE TABLE models ({_NAMES})", "CREATE VIEW ml_models AS SELECT * FROM models"], "a view", False),
        (
            [f"CREATE VIRTUAL TABLE ml_models USING fts5({_NAMES.replace('TEXT UNIQUE', '').replace('TEXT', '')})"],
            "virtual",
            False,
        ),
        (
            [f"CREATE TABLE ml_models (model_id INTEGER PRIMARY KEY, {_NAMES}, tenant INT NOT NULL)"],
            "tenant has",
            False,
        ),
        (
            [f"CREATE TABLE ml_models (model_id INTEGER PRIMARY KEY, {_NAMES}, is_active INT AS (1))"],
            "is_active is a generated column",
            False,
        ),
        (
            [
                f"CREATE TABLE ml_models (model_id TEXT PRIMARY KEY, {_NAMES})",
                _INSERT.format(column="model_id", value="'one'"),
            ],
            "model_id holds values that Understudy cannot use: 'one'",
            False,
        ),
        *(
            (
                [
                    f"CREATE TABLE ml_models (model_id INTEGER PRIMARY KEY, {_NAMES}, {column})",
                    _INSERT.format(column=column, value=value),
                ],
                f"{column} holds values that Understudy cannot use: {value}",
                True,
            )
            for column, value in (
                ("is_active", "'yes'"),
                ("accuracy", "'high'"),
                ("created_at", "1700000000"),
                ("updated_at", "1700000000.5"),
            )
        ),
    ],
)
async def test_a_table_is_refused_untouched(
    database_settings: Settings, by_hand: ByHand, statements: list[str], reason: str, cured: bool
) -> None:
    by_hand(*statements)
    before = by_hand("SELECT type, name, sql FROM sqlite_master")
    async with Database(database_settings) as database:
        with pytest.raises(TableRefused, match=reason) as refusal:
            await schema.migrate(database)
    assert "table_refused" in {each.code for each in (await Doctor(database_settings).examine(fix=True)).left}
    assert by_hand("SELECT type, name, sql FROM sqlite_master") == before
    if cured:
        by_hand(refusal.value.remedy.partition("then try again: ")[2])
        async with Database(database_settings) as database:
            assert (await schema.migrate(database)).adopted
            assert (await Registry(database_settings, database).list(ModelQuery())).total == 1


async def test_columns_without_a_type_are_adopted(database_settings: Settings, by_hand: ByHand) -> None:
    by_hand("CREATE TABLE ml_models (model_id INTEGER PRIMARY KEY, model_name UNIQUE, file_path)")
    (database_settings.models_dir / "one.onnx").write_bytes(b"one")
    async with Database(database_settings) as database:
        report = await schema.migrate(database)
        assert "ml_models.model_name is of no type" in " ".join(each.detail for each in report.findings)
        registry = Registry(database_settings, database)
        one = await registry.register(ModelCreate(model_name="one", file_path="models/one.onnx"), "test")
        assert (await registry.get(one.model_id)).file_path == "models/one.onnx"
