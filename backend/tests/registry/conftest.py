"""A registry on an empty, migrated database of each kind."""

from collections.abc import AsyncIterator

import pytest

from tests.registry.types import Add
from understudy.registry.database.database import Database
from understudy.registry.registry import Registry
from understudy.schemas.registry.model import ModelCreate
from understudy.schemas.registry.model_detail import ModelDetail
from understudy.settings import Settings


@pytest.fixture
async def database(database_settings: Settings, migrated: None) -> AsyncIterator[Database]:
    async with Database(database_settings) as database:
        yield database


@pytest.fixture
def registry(database_settings: Settings, database: Database) -> Registry:
    return Registry(database_settings, database)


@pytest.fixture
def add(registry: Registry, database_settings: Settings) -> Add:
    """Registers a model under `name` with a file of its own; the file's content is the name."""

    async def add(name: str, **columns: object) -> ModelDetail:
        path = f"models/{name}.onnx"
        (database_settings.home / path).write_text(name)
        return await registry.register(
            ModelCreate.model_validate({"model_name": name, "file_path": path} | columns), "api"
        )

    return add
