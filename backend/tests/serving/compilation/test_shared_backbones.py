"""Backbones in a store: fetched where they are missing or were changed, and stored only as what their name says."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.embedding_networks import LOG_MEL_SPEC, save_head, save_log_mel_network
from tests.serving.activation.test_int8_backbone import register_head, save_int8_backbone, store_int8_head
from understudy.container import Services, open_services
from understudy.errors import BackboneMissing, StoredFileDamaged
from understudy.schemas.compiler.backbone import BackboneSpec
from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.registry.model import ModelCreate
from understudy.serving import backbone_installation
from understudy.settings import Settings

pytestmark = pytest.mark.anyio


@dataclass
class Shared:
    """Two machines; the first has a compiled model, and `name` is that of its backbone in the store."""

    first: Services
    second: Services
    store: Path
    model_id: int
    key: str
    name: str
    file: Path

    def locate(self, on: Services) -> Path:
        """Return where a machine keeps the backbone's graph."""
        return on.settings.home / self.file

    async def share(self) -> None:
        """Store the model and what it needs, as an activation does."""
        compiled = await self.first.file_sharing.find_compiled(self.key)
        assert compiled is not None
        await self.first.file_sharing.publish(await self.first.registry.ensure_file_record(self.model_id), compiled)

    async def fetch(self) -> bytes:
        """Let the second machine find the model, and return its backbone's graph."""
        assert await self.second.file_sharing.find_compiled(self.key) is not None
        return self.locate(self.second).read_bytes()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of backbones with one of them."""
    settings = Settings(home=tmp_path_factory.mktemp("backbones"))
    file, spec = save_log_mel_network(settings.home / "mel.onnx"), BackboneSpec.model_validate(LOG_MEL_SPEC)
    asyncio.run(backbone_installation.install(settings, "mel", file, spec, lambda _: None))
    return settings.named_backbones_dir


@pytest.fixture(params=["installed", "int8"])
async def shared(
    request: pytest.FixtureRequest,
    settings: Settings,
    migrated: None,
    shared_store: None,
    installed: Path,
    tmp_path: Path,
) -> AsyncIterator[Shared]:
    other = tmp_path / "second"
    (other / "models").mkdir(parents=True)
    more = {"store": f"file://{tmp_path}/store", "database_url": f"sqlite:///{settings.home}/var/understudy.db"}
    async with AsyncExitStack() as stack:
        first, second = [
            await stack.enter_async_context(open_services(settings.model_copy(update={"home": home, **more})))
            for home in (settings.home, other)
        ]
        if request.param == "int8":
            file = save_int8_backbone(settings, 1)
            model_id, compiled = await register_head(first)
            key = store_int8_head(first, compiled, "0" * 64, file.stem, tmp_path / "made")
            name = f"int8-backbones/{file.name}"
        else:
            shutil.copytree(installed, settings.named_backbones_dir)
            save_head(settings.models_dir / "head.onnx", 32)
            spec = PartialSpec.model_validate({"labels": ("a", "b", "c"), "backbone": "mel", "pooling": "mean"})
            created = ModelCreate(model_name="head", file_path="models/head.onnx", spec=spec)
            model_id = (await first.registry.register(created, "test")).model_id
            key = (await first.compilation.compile(await first.registry.ensure_file_record(model_id))).key
            [folder] = settings.named_backbones_dir.iterdir()
            file, name = folder / "model.onnx", f"backbones/{folder.name}"
        yield Shared(first, second, tmp_path / "store", model_id, key, name, file.relative_to(settings.home))


def _change(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def _remove(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("damage", [_change, _remove])
async def test_a_backbone_that_was_changed_or_removed_is_fetched_again(
    shared: Shared, damage: Callable[[Path], None]
) -> None:
    await shared.share()
    right = await shared.fetch()
    damage(shared.locate(shared.second))
    assert await shared.fetch() == right == shared.locate(shared.first).read_bytes()
    assert not list(shared.locate(shared.second).parent.glob(".new-*"))


async def test_a_changed_backbone_stays_where_the_store_lacks_it_and_is_refused(shared: Shared) -> None:
    await shared.share()
    await shared.fetch()
    (shared.store / f"{shared.name}.json").unlink()
    _change(shared.locate(shared.second))
    changed = shared.locate(shared.second).read_bytes()
    assert await shared.fetch() == changed
    compiled = await shared.second.file_sharing.find_compiled(shared.key)
    assert compiled is not None
    preparation = shared.second.model_resolver._preparation
    with pytest.raises(BackboneMissing):
        await preparation._load(
            await shared.second.registry.ensure_file_record(shared.model_id), compiled, (), lambda _: None
        )


async def test_a_changed_backbone_is_not_stored_and_its_model_does_not_go_live(shared: Shared) -> None:
    _change(shared.locate(shared.first))
    with pytest.raises(BackboneMissing, match="is missing or was changed, and the store lacks it"):
        await shared.share()
    assert not list(shared.store.glob("*/*.json"))


async def test_another_backbone_in_the_store_is_named_as_damaged(shared: Shared) -> None:
    await shared.share()
    [folder] = {path.parent for path in (shared.store / "sources").glob("*.json")}
    [other] = folder.glob("*.json")
    shutil.copyfile(other, shared.store / f"{shared.name}.json")
    with pytest.raises(StoredFileDamaged, match="are not those that were stored under this name"):
        await shared.fetch()
    assert not shared.locate(shared.second).exists()
