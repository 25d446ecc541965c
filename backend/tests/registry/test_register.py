import asyncio
from decimal import Decimal
from hashlib import sha256

import pytest
from sqlalchemy import func, select

from tests.postgres import ByHand
from tests.registry.types import Add
from understudy.errors import (
    FileMissing,
    FormatUnknown,
    NameTaken,
    PathRefused,
    RequestInvalid,
    SpecInvalid,
    UnderstudyError,
)
from understudy.models import FileRecord, History, MlModel
from understudy.registry.database.database import Database
from understudy.registry.registry import Registry
from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.registry.model import ModelCreate
from understudy.schemas.registry.model_query import ModelQuery
from understudy.settings import Settings

pytestmark = pytest.mark.anyio


async def _rows(database: Database) -> list[int]:
    async with database.read() as session:
        return [
            await session.scalar(select(func.count()).select_from(table)) or 0
            for table in (MlModel, FileRecord, History)
        ]


async def test_the_answer_and_the_row_hold_the_registered_values(
    registry: Registry, database_settings: Settings, by_hand: ByHand
) -> None:
    (database_settings.models_dir / "heads").mkdir()
    (database_settings.models_dir / "heads" / "v1.keras").write_bytes(b"weights")
    request = ModelCreate(
        model_name="YAMNet Human v2",
        version="v2.0",
        file_path="models\\heads\\.\\v1.keras",
        description="Improved version",
        model_type="yamnet",
        accuracy=Decimal("0.91999"),
    )
    model = await registry.register(request, "script")
    assert model.file_path == "models/heads/v1.keras"
    assert model.digest == sha256(b"weights").hexdigest()
    assert (model.file_exists, model.file_changed, model.file_bytes) == (True, False, 7)
    assert (model.is_active, model.compile_state, model.accuracy) == (False, "not_compiled", 0.92)
    assert model.created_at == model.updated_at
    assert await registry.get(model.model_id) == model
    stored = by_hand("SELECT model_name, version, file_path, description, model_type FROM ml_models")
    assert stored == [("YAMNet Human v2", "v2.0", "models/heads/v1.keras", "Improved version", "yamnet")]
    history = (await registry.list_history(model.model_id)).entries
    assert [(entry.event, entry.actor, entry.digest) for entry in history] == [("registered", "script", model.digest)]


async def test_a_file_in_the_backend_root_registers(registry: Registry, database_settings: Settings) -> None:
    (database_settings.home / "legacy.keras").write_bytes(b"old")
    model = await registry.register(ModelCreate(model_name="legacy", file_path="legacy.keras"), "api")
    assert model.file_path == "legacy.keras"


async def test_a_saved_model_folder_registers_as_one_thing(registry: Registry, database_settings: Settings) -> None:
    folder = database_settings.models_dir / "saved" / "v1.0"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "data").write_bytes(b"numbers")
    (folder.parent / "v1.0.spec.json").write_text('{"labels": ["a", "b"]}')
    model = await registry.register(ModelCreate(model_name="saved", file_path="models/saved/v1.0/"), "api")
    assert (model.file_path, model.file_bytes, model.file_exists) == ("models/saved/v1.0", 12, True)
    assert (await registry.ensure_file_record(model.model_id)).spec == PartialSpec(labels=("a", "b"))


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("models/absent.keras", FileMissing),
        ("models/model.keras/inner", FileMissing),
        ("models", FormatUnknown),
        ("/etc/passwd", PathRefused),
        ("../outside.keras", PathRefused),
        ("models/out.keras", PathRefused),
        ("models/nul\0.keras", PathRefused),
        ("C:\\models\\model.keras", PathRefused),
        ("var/understudy.db", PathRefused),
    ],
)
async def test_a_refused_path_leaves_nothing_behind(
    registry: Registry, database: Database, database_settings: Settings, path: str, error: type[UnderstudyError]
) -> None:
    outside = database_settings.home.parent / "outside.keras"
    outside.write_bytes(b"elsewhere")
    (database_settings.models_dir / "out.keras").symlink_to(outside)
    (database_settings.models_dir / "model.keras").write_bytes(b"weights")
    with pytest.raises(error):
        await registry.register(ModelCreate(model_name="refused", file_path=path), "api")
    assert await _rows(database) == [0, 0, 0]


async def test_a_taken_name_is_refused(registry: Registry, database: Database, add: Add) -> None:
    await add("first")
    before = await _rows(database)
    with pytest.raises(NameTaken, match="model 1"):
        await registry.register(ModelCreate(model_name="first", file_path="models/first.onnx"), "api")
    assert await _rows(database) == before


async def test_of_registrations_racing_for_a_name_one_wins(database_settings: Settings, database: Database) -> None:
    (database_settings.models_dir / "same.onnx").write_bytes(b"same")
    databases = [Database(database_settings) for _ in range(4)]
    request = ModelCreate(model_name="same", file_path="models/same.onnx")
    outcomes = await asyncio.gather(
        *(Registry(database_settings, each).register(request, "api") for each in databases), return_exceptions=True
    )
    for each in databases:
        await each.dispose()
    assert sorted(type(outcome).__name__ for outcome in outcomes) == [
        "ModelDetail",
        "NameTaken",
        "NameTaken",
        "NameTaken",
    ]
    assert await _rows(database) == [1, 1, 1]


async def test_the_given_spec_wins_over_the_sidecar(registry: Registry, database_settings: Settings, add: Add) -> None:
    sidecar = database_settings.models_dir / "head.spec.json"
    sidecar.write_bytes(b'\xef\xbb\xbf{"labels": ["cat", "dog"], "sample_rate": 8000}')
    model = await add("head", spec={"sample_rate": 16000, "thresholds": {"cat": 0.5}})
    spec = (await registry.ensure_file_record(model.model_id)).spec
    assert spec == PartialSpec(labels=("cat", "dog"), sample_rate=16000, thresholds={"cat": 0.5})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"labels": ["a", "a"]}', r"models/head\.spec\.json, field labels: .*once"),
        ('{"sample_rate": "fast"}', r"models/head\.spec\.json, field sample_rate"),
        ('{"lables": ["a"]}', r"models/head\.spec\.json, field lables"),
        ('{"labels": ["a\\u0000"]}', r"models/head\.spec\.json contains a NUL"),
        ('{"labels": ["\\ud800"]}', r"models/head\.spec\.json"),
        ('{"thresholds": {"a": NaN}}', r"models/head\.spec\.json, field thresholds\.a: .*finite"),
        ('{"hop_seconds": 1e308}', r"models/head\.spec\.json, field hop_seconds"),
        ('{"window_seconds": 1e308}', r"models/head\.spec\.json, field window_seconds"),
        ("{", r"models/head\.spec\.json: Invalid JSON"),
        ("\udcff", r"models/head\.spec\.json: Invalid JSON"),
    ],
)
async def test_an_invalid_sidecar_is_named_with_its_field(
    database: Database, database_settings: Settings, add: Add, content: str, message: str
) -> None:
    (database_settings.models_dir / "head.spec.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(SpecInvalid, match=message):
        await add("head")
    assert await _rows(database) == [0, 0, 0]


async def test_text_that_a_database_cannot_hold_is_refused_on_both(database: Database, add: Add) -> None:
    with pytest.raises(RequestInvalid, match="description"):
        await add("head", description="a\0b")
    with pytest.raises(RequestInvalid, match="spec"):
        await add("head", spec={"labels": ["a\0b"]})
    assert await _rows(database) == [0, 0, 0]


async def test_the_id_of_a_deleted_model_is_not_given_out_again(registry: Registry, add: Add) -> None:
    first = await add("first")
    await registry.delete(first.model_id, "api")
    assert (await add("second")).model_id > first.model_id


async def test_a_row_made_by_hand_is_read_when_it_is_first_needed(
    registry: Registry, database_settings: Settings, by_hand: ByHand
) -> None:
    (database_settings.models_dir / "hand.onnx").write_bytes(b"hand")
    by_hand("INSERT INTO ml_models (model_id, model_name, file_path) VALUES (9, 'hand', 'models\\hand.onnx')")
    answer = await registry.get(9)
    assert (answer.digest, answer.file_exists, answer.is_active, answer.created_at) == (None, True, False, None)
    first, second = await asyncio.gather(registry.ensure_file_record(9), registry.ensure_file_record(9))
    assert first == second
    assert first.facts.digest == sha256(b"hand").hexdigest()
    assert (await registry.get(9)).digest == first.facts.digest


async def test_a_path_changed_by_hand_voids_the_file_record(
    registry: Registry, database_settings: Settings, add: Add, by_hand: ByHand
) -> None:
    model = await add("first")
    (database_settings.models_dir / "other.onnx").write_bytes(b"other")
    by_hand(f"UPDATE ml_models SET file_path = 'models/other.onnx' WHERE model_id = {model.model_id}")
    assert (await registry.get(model.model_id)).digest is None
    record = await registry.ensure_file_record(model.model_id)
    assert record.facts.digest == sha256(b"other").hexdigest()


async def test_a_row_whose_path_leads_out_is_listed_as_missing(registry: Registry, by_hand: ByHand) -> None:
    by_hand("INSERT INTO ml_models (model_id, model_name, file_path) VALUES (1, 'out', '/etc/passwd')")
    (model,) = (await registry.list(ModelQuery())).models
    assert (model.file_exists, model.file_bytes) == (False, None)
    with pytest.raises(PathRefused):
        await registry.ensure_file_record(1)
