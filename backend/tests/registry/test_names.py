"""Names and versions that are refused, and rows that have such names all the same."""

import pytest

from tests.postgres import ByHand
from tests.registry.types import Add
from understudy.errors import NameRefused
from understudy.registry.registry import Registry
from understudy.schemas.registry.model import ModelCreate, ModelUpdate
from understudy.schemas.registry.model_query import ModelQuery
from understudy.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("name", "version"), [("a\n", None), ("a/versions/1", None), ("a", "1/ready"), ("a", " v1")])
async def test_a_registration_and_a_change_refuse_the_same(
    registry: Registry, database_settings: Settings, add: Add, name: str, version: str | None
) -> None:
    (database_settings.models_dir / "x.onnx").write_bytes(b"x")
    with pytest.raises(NameRefused):
        await registry.register(ModelCreate(model_name=name, version=version, file_path="models/x.onnx"), "api")
    kept = await add("kept", version="v1")
    with pytest.raises(NameRefused):
        await registry.update(kept.model_id, ModelUpdate(model_name=name, version=version), "api")
    assert await registry.get(kept.model_id) == kept


async def test_rows_typed_by_hand_are_listed_shown_changed_and_renamed(
    registry: Registry, add: Add, by_hand: ByHand
) -> None:
    model_id = (await add("typed")).model_id
    by_hand("UPDATE ml_models SET model_name = 'a/versions/1\n', version = ' /ready'")
    odd = {"model_name": "a/versions/1\n", "version": " /ready"}
    assert [model.model_name for model in (await registry.list(ModelQuery())).models] == [odd["model_name"]]
    assert (await registry.get(model_id)).version == odd["version"]
    # A client that sends a whole row back changes what differs.
    changed = await registry.update(model_id, ModelUpdate.model_validate(odd | {"description": "new"}), "api")
    assert (changed.model_name, changed.description) == (odd["model_name"], "new")
    renamed = await registry.update(model_id, ModelUpdate(model_name="a", version="1"), "api")
    assert (renamed.model_name, renamed.version) == ("a", "1")
