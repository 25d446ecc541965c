"""The use-cases of access on a database of their own."""

from collections.abc import AsyncIterator

import pytest

from understudy.access.access import Access
from understudy.registry.database.database import Database
from understudy.settings import Settings


@pytest.fixture
def cheap_settings(settings: Settings) -> Settings:
    """Settings with which a password costs a millisecond."""
    return settings.model_copy(update={"password_memory_kib": 8, "password_passes": 1})


@pytest.fixture
async def database(cheap_settings: Settings, migrated: None) -> AsyncIterator[Database]:
    async with Database(cheap_settings) as database:
        yield database


@pytest.fixture
async def access(cheap_settings: Settings, database: Database) -> Access:
    access = Access(cheap_settings, database)
    await access.start()
    return access
