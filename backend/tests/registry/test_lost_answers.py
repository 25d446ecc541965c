"""A change whose answer was lost is recognized when the same request comes again."""

from collections.abc import AsyncIterator

import pytest

from tests.faults import TcpProxy
from understudy.errors import NameTaken, OutcomeUnknown
from understudy.registry import schema
from understudy.registry.database.database import Database
from understudy.registry.registry import Registry
from understudy.schemas.registry.model import ModelCreate
from understudy.settings import Settings

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]


@pytest.fixture
async def registry(settings: Settings, proxied_url: str) -> AsyncIterator[Registry]:
    proxied = Settings(home=settings.home, database_url=proxied_url)
    (settings.models_dir / "head.onnx").write_bytes(b"head")
    (settings.models_dir / "other.onnx").write_bytes(b"other")
    async with Database(proxied) as database:
        await schema.migrate(database)
        yield Registry(proxied, database)


def _request(file: str = "models/head.onnx", version: str = "1") -> ModelCreate:
    return ModelCreate(model_name="head", file_path=file, version=version)


async def test_the_same_registration_again_returns_what_the_first_one_stored(
    registry: Registry, postgres_proxy: TcpProxy
) -> None:
    postgres_proxy.lose_answer(b"COMMIT\0")
    with pytest.raises(OutcomeUnknown):
        await registry.register(_request(), "api")
    for other in (_request(version="2"), _request(file="models/other.onnx")):
        with pytest.raises(NameTaken):
            await registry.register(other, "api")
    model = await registry.register(_request(), "api")
    assert model == await registry.get(model.model_id)
    assert (model.model_name, model.version) == ("head", "1")
    assert [each.event for each in (await registry.list_history()).entries] == ["registered"]


async def test_a_registration_that_was_answered_is_not_repeated(registry: Registry) -> None:
    await registry.register(_request(), "api")
    with pytest.raises(NameTaken):
        await registry.register(_request(), "api")
