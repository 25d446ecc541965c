"""A team's own table of models, copied into ours on both databases."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import psycopg
import pytest

from tests.postgres import ByHand, needs_direct, only_postgresql
from understudy.errors import Conflict, DatabaseUnavailable, RequestInvalid
from understudy.registry import schema
from understudy.registry.database.database import Database
from understudy.registry.models.history import model_history
from understudy.registry.registry import Registry
from understudy.registry.table_import.import_plan import ImportPlan, RowFate
from understudy.registry.table_import.table_import import TableImport
from understudy.schemas.registry.model import ModelCreate, ModelOut
from understudy.schemas.registry.model_query import ModelQuery
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

_MAP = ("model_id=id,model_name=name", "file_path=storage_path, description=framework")
_ROWS = """
    INSERT INTO models (id, name, version, framework, storage_path, accuracy, created_at, is_active, metrics) VALUES
        (4, 'yamnet', 'v1', 'keras', 'models/one.onnx', 0.9, '2024-05-01 10:00:00', FALSE, '{"f1": 0.5}'),
        (7, 'yamnet', 'v2', 'keras', 'models/two.onnx', NULL, NULL, TRUE, NULL),
        (9, 'Siren', NULL, NULL, 'models/one.onnx', 0.12346, NULL, FALSE, NULL)
"""


@pytest.fixture
async def foreign(database_settings: Settings, by_hand: ByHand) -> AsyncIterator[Database]:
    """A database with a table `models` and nothing of ours; the files one.onnx and two.onnx exist."""
    by_hand(
        """
        CREATE TABLE models (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL, version VARCHAR(80), framework TEXT, storage_path TEXT,
            accuracy DECIMAL(8, 5), created_at TIMESTAMP, is_active BOOLEAN, metrics TEXT, UNIQUE (name, version)
        )
        """,
        _ROWS,
    )
    for name in ("one", "two"):
        (database_settings.models_dir / f"{name}.onnx").write_text(name)
    async with Database(database_settings) as database:
        yield database


def _summarize(plan: ImportPlan) -> list[tuple[str, str, int | None, str | None]]:
    return [(row.source_key, row.fate, row.model_id, row.model_name) for row in plan.rows]


async def _list(settings: Settings, database: Database) -> dict[int, ModelOut]:
    listed = await Registry(settings, database).list(ModelQuery())
    return {model.model_id: model for model in listed.models}


async def test_a_dry_run_shows_everything_and_makes_no_table(
    foreign: Database, database_settings: Settings, by_hand: ByHand
) -> None:
    plan = await TableImport(database_settings, foreign, "models", _MAP).plan()
    assert _summarize(plan) == [
        ("4", "copy", 4, "yamnet v1"),
        ("7", "copy", 7, "yamnet v2"),
        ("9", "copy", 9, "Siren"),
    ]
    assert plan.rows[0].notes == ("'yamnet' is not unique; the model is called 'yamnet v1'.",)
    assert plan.rows[2].notes == ("accuracy 0.12346 is stored as 0.1235.",)
    assert [row.was_active for row in plan.rows] == [False, True, False]
    assert plan.columns_without_place == {"metrics": 1}
    assert plan.columns["version"] == ("version",)
    assert not plan.applied
    with pytest.raises(Exception, match="ml_models"):
        by_hand("SELECT * FROM ml_models")


async def test_every_row_is_copied_inactive_with_its_history(foreign: Database, database_settings: Settings) -> None:
    planned = await TableImport(database_settings, foreign, "models", _MAP).plan()
    done = await TableImport(database_settings, foreign, "models", _MAP).apply("cli")
    assert done.applied
    assert _summarize(done) == _summarize(planned)
    models = await _list(database_settings, foreign)
    assert {each.model_name: each.version for each in models.values()} == {
        "yamnet v1": "v1",
        "yamnet v2": "v2",
        "Siren": None,
    }
    assert not any(each.is_active for each in models.values())
    first = models[4]
    assert (first.description, first.accuracy, first.file_path) == ("keras", 0.9, "models/one.onnx")
    assert first.created_at == datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert first.digest is not None
    async with foreign.read() as session:
        noted = await model_history.read_page(session, model_id=4)
    [entry] = noted.entries
    assert (entry.event, entry.actor, entry.digest) == ("registered", "cli", first.digest)
    assert entry.detail is not None
    assert "models, row 4, there called 'yamnet'" in entry.detail
    assert await foreign.examine_tables() == ()


async def test_a_repetition_copies_new_rows_only(
    foreign: Database, database_settings: Settings, by_hand: ByHand
) -> None:
    await TableImport(database_settings, foreign, "models", _MAP).apply("cli")
    await Registry(database_settings, foreign).delete(9, "cli")
    by_hand("INSERT INTO models (id, name, storage_path) VALUES (12, 'Siren', 'models/two.onnx')")
    again = await TableImport(database_settings, foreign, "models", _MAP).apply("cli")
    assert _summarize(again) == [
        ("4", "imported", 4, "yamnet"),
        ("7", "imported", 7, "yamnet"),
        ("9", "imported", 9, "Siren"),
        ("12", "copy", 12, "Siren (12)"),
    ]
    assert "deleted since" in again.rows[2].notes[0]
    assert sorted(await _list(database_settings, foreign)) == [4, 7, 12]


async def test_ids_that_models_have_had_are_replaced_and_new_models_follow(
    foreign: Database, database_settings: Settings
) -> None:
    await schema.migrate(foreign)
    registry = Registry(database_settings, foreign)
    for name in ("a", "b", "c", "d"):
        await registry.register(ModelCreate(model_name=name, file_path="models/one.onnx"), "cli")
    await registry.delete(4, "cli")
    done = await TableImport(database_settings, foreign, "models", _MAP).apply("cli")
    assert [row.model_id for row in done.rows] == [10, 7, 9]
    assert "id 4 becomes 10." in done.rows[0].notes
    assert (await registry.register(ModelCreate(model_name="e", file_path="models/two.onnx"), "cli")).model_id == 11


async def test_rows_that_do_not_fit_are_named_and_stop_everything(
    foreign: Database, database_settings: Settings, by_hand: ByHand
) -> None:
    by_hand(
        f"INSERT INTO models (id, name, version, storage_path) VALUES (20, 'long', '{'v' * 51}', 'models/one.onnx')",
        "INSERT INTO models (id, name, storage_path, accuracy) VALUES (21, 'percent', 'models/one.onnx', 92.5)",
        "INSERT INTO models (id, name, storage_path) VALUES (22, 'nowhere', 's3://bucket/x.onnx'),"
        " (23, 'away', '/srv/x.onnx'), (24, ' ', NULL), (25, 'a/ready', 'models/one.onnx')",
    )
    plan = await TableImport(database_settings, foreign, "models", _MAP).plan()
    reasons = {row.source_key: " ".join(row.reasons) for row in plan.list_rows(RowFate.UNFIT)}
    assert list(reasons) == ["20", "21", "22", "23", "24", "25"]
    assert "version" in reasons["20"]
    assert "51 characters" in reasons["20"]
    assert "accuracy: '92.5" in reasons["21"]
    assert "percent" in reasons["21"]
    assert "storage_path: " in reasons["22"]
    assert "absolute path" in reasons["23"]
    assert reasons["24"] == "name: it is empty. storage_path: it is empty."
    assert reasons["25"] == "name: The name 'a/ready' ends with '/ready'."
    with pytest.raises(RequestInvalid, match="6 of 9 rows") as refused:
        await TableImport(database_settings, foreign, "models", _MAP).apply("cli")
    assert "Row 21 (percent): accuracy" in refused.value.__notes__[1]
    assert by_hand("SELECT count(*) FROM ml_models") == [(0,)]
    done = await TableImport(database_settings, foreign, "models", _MAP).apply("cli", skip_unfit=True)
    assert sorted(await _list(database_settings, foreign)) == [4, 7, 9]
    assert len(done.list_rows(RowFate.UNFIT)) == 6


async def test_a_refusal_of_the_database_writes_nothing(
    foreign: Database, database_settings: Settings, by_hand: ByHand
) -> None:
    await schema.migrate(foreign)
    if foreign.kind == "sqlite":
        by_hand(
            "CREATE TRIGGER theirs BEFORE INSERT ON ml_models WHEN NEW.model_name = 'Siren'"
            " BEGIN SELECT RAISE(ABORT, 'no sirens'); END"
        )
    else:
        by_hand("ALTER TABLE ml_models ADD CONSTRAINT sirens CHECK (model_name <> 'Siren')")
    with pytest.raises(Conflict, match="siren"):
        await TableImport(database_settings, foreign, "models", _MAP).apply("cli")
    assert by_hand("SELECT count(*) FROM ml_models") == [(0,)]
    assert by_hand("SELECT count(*) FROM understudy_imports") == [(0,)]


async def test_columns_with_reserved_and_capital_names_and_a_composite_key(
    foreign: Database, database_settings: Settings, by_hand: ByHand
) -> None:
    by_hand(
        """CREATE TABLE "Order; DROP TABLE models" (
            "select" TEXT, "Größe" TEXT, "it's" TEXT, PRIMARY KEY ("select", "Größe")
        )""",
        """INSERT INTO "Order; DROP TABLE models" VALUES ('x', 'y', 'models/one.onnx')""",
    )
    given = ("model_name=select", "file_path=it's", "description=Größe", "description=select")
    done = await TableImport(database_settings, foreign, "Order; DROP TABLE models", given).apply("cli")
    assert [(row.source_key, row.model_name) for row in done.rows] == [("x, y", "x")]
    [model] = (await _list(database_settings, foreign)).values()
    assert model.description == "Größe: y\nselect: x"
    assert by_hand("SELECT count(*) FROM models") == [(3,)]


async def test_a_view_needs_a_column_that_tells_its_rows_apart(
    foreign: Database, database_settings: Settings, by_hand: ByHand
) -> None:
    by_hand(
        "CREATE VIEW ready AS SELECT id, name, accuracy / 100 AS accuracy, storage_path FROM models"
        " UNION ALL SELECT NULL, 'keyless', NULL, 'models/one.onnx'"
        " UNION ALL SELECT 4, 'again', NULL, 'models/one.onnx'"
    )
    without = ("model_name=name,file_path=storage_path",)
    with pytest.raises(RequestInvalid, match="no primary key") as refused:
        await TableImport(database_settings, foreign, "ready", without).plan()
    assert "--map model_id=COLUMN" in refused.value.remedy
    plan = await TableImport(database_settings, foreign, "ready", (*without, "model_id=id", "accuracy=")).plan()
    assert "accuracy" not in plan.columns
    fates = [(row.source_name, row.fate) for row in plan.rows]
    assert sorted(fates) == [
        ("Siren", "copy"),
        ("again", "unfit"),
        ("keyless", "unfit"),
        ("yamnet", "copy"),
        ("yamnet", "unfit"),
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("model_name",), "not TARGET=COLUMN"),
        (("name=name",), "ml_models has no column 'name'"),
        (("model_name=nome,file_path=storage_path",), "no column 'nome'"),
        (("model_name=name",), "mapped to file_path"),
        (("model_name=name,model_name=framework",), "given twice"),
    ],
)
async def test_a_map_that_cannot_be_used_says_what_there_is(
    foreign: Database, database_settings: Settings, given: tuple[str, ...], words: str
) -> None:
    with pytest.raises(RequestInvalid, match=words) as refused:
        await TableImport(database_settings, foreign, "models", given).plan()
    assert refused.value.remedy


@pytest.mark.parametrize("name", ["modles", "ml_models", "understudy_history", "elsewhere.models"])
async def test_a_table_that_cannot_be_the_source_is_refused(
    foreign: Database, database_settings: Settings, name: str
) -> None:
    with pytest.raises(RequestInvalid, match=name) as refused:
        await TableImport(database_settings, foreign, name, _MAP).plan()
    assert "models" in refused.value.remedy


async def test_a_dry_run_beside_tables_that_are_not_migrated_names_the_command(
    foreign: Database, database_settings: Settings, by_hand: ByHand, documented: str
) -> None:
    by_hand(documented)
    with pytest.raises(DatabaseUnavailable) as refused:
        await TableImport(database_settings, foreign, "models", _MAP).plan()
    assert "understudy migrate" in refused.value.remedy
    await TableImport(database_settings, foreign, "models", _MAP).apply("cli")
    assert len(await _list(database_settings, foreign)) == 3


@only_postgresql
async def test_types_that_only_postgresql_has_and_another_schema(
    foreign: Database, database_settings: Settings, by_hand: ByHand
) -> None:
    by_hand(
        "CREATE SCHEMA team",
        "CREATE TYPE kind AS ENUM ('keras', 'onnx')",
        """CREATE TABLE team.models (
            id UUID PRIMARY KEY, name TEXT, kind kind, path TEXT, made TIMESTAMPTZ, owner UUID, tags JSONB
        )""",
        """INSERT INTO team.models VALUES ('6f0c1e5e-0000-4000-8000-000000000001', 'uuid', 'onnx', 'models/one.onnx',
            '2024-05-01 12:00:00+02', gen_random_uuid(), '["a"]')""",
    )
    given = ("model_id=id,model_name=name,model_type=kind,file_path=path,created_at=made,description=tags",)
    done = await TableImport(database_settings, foreign, "team.models", given).apply("cli")
    assert (done.source, done.columns_without_place) == ("team.models", {"owner": 1})
    [model] = (await _list(database_settings, foreign)).values()
    assert (model.model_id, model.model_type, model.description) == (1, "onnx", '["a"]')
    assert model.created_at == datetime(2024, 5, 1, 10, tzinfo=UTC)
    again = await TableImport(database_settings, foreign, "team.models", given).plan()
    assert [row.fate for row in again.rows] == [RowFate.IMPORTED]
    # The same name in public is another table; both spellings of it mean the same one.
    await TableImport(database_settings, foreign, "models", _MAP).apply("cli")
    again = await TableImport(database_settings, foreign, "public.models", _MAP).plan()
    assert {row.fate for row in again.rows} == {RowFate.IMPORTED}


@only_postgresql
async def test_ids_are_left_to_a_database_that_always_gives_them(
    foreign: Database, database_settings: Settings, by_hand: ByHand, documented: str
) -> None:
    by_hand(documented.replace("SERIAL", "INT GENERATED ALWAYS AS IDENTITY"))
    done = await TableImport(database_settings, foreign, "models", _MAP).apply("cli")
    assert [row.model_id for row in done.rows] == [1, 2, 3]
    assert "The database gives the model_id." in done.rows[0].notes


@needs_direct
@only_postgresql
async def test_times_without_a_zone_are_those_of_the_databases_zone(
    foreign: Database, database_settings: Settings
) -> None:
    url = database_settings.database_url or ""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET timezone TO 'Europe/Berlin'".encode())
    async with Database(database_settings) as database:
        await TableImport(database_settings, database, "models", _MAP).apply("cli")
        created = (await _list(database_settings, database))[4].created_at
    assert created == datetime(2024, 5, 1, 8, tzinfo=UTC)
    assert foreign.kind == "postgresql"
