"""Two machines on one database, each with a home folder of its own, which share their files by a store."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.sample_files import tone
from tests.types import ModelFactory
from understudy.compiler.compiler import Compiler
from understudy.container import Services, open_services
from understudy.errors import CompilerMissing, FileMissing, NotSigned, StoredFileDamaged, StoreUnavailable
from understudy.object_store.objects import Objects
from understudy.registry.models import example_rows
from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.registry.examples import Example, ExampleSet
from understudy.schemas.registry.model import ModelCreate, ModelUpdate
from understudy.schemas.registry.signature import Signer
from understudy.schemas.server.policies import PoliciesUpdate
from understudy.serving.activation.preparation import ignore_step
from understudy.serving.compilation import file_sharing
from understudy.settings import Settings

pytestmark = pytest.mark.anyio


@dataclass
class Machines:
    """`first` has the model's file and a compiler; `second` has neither."""

    first: Services
    second: Services
    store: Path

    async def register(self, make_model: ModelFactory, name: str = "barks", winner: int = 1) -> int:
        make_model(self.first.settings.models_dir / f"{name}.onnx", winner=winner)
        request = ModelCreate(model_name=name, file_path=f"models/{name}.onnx")
        return (await self.first.registry.register(request, "test")).model_id

    async def register_signed(self, make_model: ModelFactory) -> tuple[int, int]:
        """Register two models that the only key of the policy signed."""
        private, release = _make_signer("release")
        one, two = await self.register(make_model, "one", 1), await self.register(make_model, "two", 2)
        for model_id in (one, two):
            await self.first.signatures.sign(model_id, private)
        await self.first.policies.update(PoliciesUpdate(signers=(release,)), "test")
        return one, two

    async def activate(self, model_id: int, on: Services | None = None) -> None:
        await (on or self.first).activation.activate(model_id, "test")

    def list_manifests(self) -> list[str]:
        return sorted(path.parent.name for path in self.store.glob("*/*.json"))


@pytest.fixture
async def machines(settings: Settings, migrated: None, shared_store: None, tmp_path: Path) -> AsyncIterator[Machines]:
    other = tmp_path / "second"
    (other / "models").mkdir(parents=True)
    database = f"sqlite:///{settings.home}/var/understudy.db"
    store = tmp_path / "store"
    async with AsyncExitStack() as stack:
        first, second = [
            await stack.enter_async_context(
                open_services(
                    settings.model_copy(update={"home": home, "database_url": database, "store": f"file://{store}"})
                )
            )
            for home in (settings.home, other)
        ]
        yield Machines(first, second, store)


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch, machines: Machines) -> None:
    """The second machine compiles nothing."""
    compile_here = Compiler.compile

    async def refuse(self: Compiler, *arguments: object, **more: object) -> object:
        if self.store.root.is_relative_to(machines.second.settings.home):
            raise CompilerMissing("There is no compiler here.")
        return await compile_here(self, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Compiler, "compile", refuse)


def _cut_store(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StoreUnavailable("The store does not answer.")

    for method in ("read", "exists", "create"):
        monkeypatch.setattr(Objects, method, fail)


async def _predict(services: Services, tmp_path: Path) -> str:
    (tmp_path / "clip.wav").write_bytes(tone(1.0))
    with (tmp_path / "clip.wav").open("rb") as clip:
        return (await services.predictor.predict(clip)).label


async def test_a_machine_without_file_and_compiler_serves_what_another_made_live(
    machines: Machines, no_compiler: None, make_model: ModelFactory, tmp_path: Path
) -> None:
    model_id = await machines.register(make_model)
    await machines.activate(model_id)
    assert machines.list_manifests() == ["compiled", "sources"]
    await machines.second.reconciler.poll_once()
    live = machines.second.live.current
    assert live is not None
    assert live.model.identity.model_id == model_id
    assert not [note for note in live.model.notes if "compiled copy" in note]
    assert await _predict(machines.second, tmp_path) == await _predict(machines.first, tmp_path) == "b"
    assert not list(machines.second.settings.models_dir.iterdir())


async def test_a_model_is_activated_where_its_file_is_not(
    machines: Machines, no_compiler: None, make_model: ModelFactory, tmp_path: Path
) -> None:
    one, two = await machines.register(make_model, "one"), await machines.register(make_model, "two")
    await machines.activate(one)
    await machines.activate(two)
    await machines.activate(one, on=machines.second)
    assert await _predict(machines.second, tmp_path) == "b"


async def test_a_machine_compiles_what_it_fetches_from_the_store(
    machines: Machines, make_model: ModelFactory, tmp_path: Path
) -> None:
    model_id = await machines.register(make_model)
    await machines.activate(model_id)
    for manifest in (machines.store / "compiled").glob("*.json"):
        manifest.unlink()
    await machines.activate(model_id, on=machines.second)
    assert await _predict(machines.second, tmp_path) == "b"
    assert machines.list_manifests() == ["compiled", "sources"]
    assert list((machines.second.settings.var_dir / "cache" / "sources").iterdir())


async def test_what_was_removed_here_is_fetched_again(
    machines: Machines, no_compiler: None, make_model: ModelFactory
) -> None:
    model_id = await machines.register(make_model)
    await machines.activate(model_id)
    [manifest] = (machines.store / "compiled").glob("*.json")
    for _ in range(2):
        found = await machines.second.file_sharing.find_compiled(manifest.stem)
        assert found is not None
        shutil.rmtree(found.folder)


async def test_a_file_that_no_machine_stored_is_missing(machines: Machines, make_model: ModelFactory) -> None:
    model_id = await machines.register(make_model)
    with pytest.raises(
        FileMissing, match=r"models/barks\.onnx .* The store file://.*/store lacks the model too"
    ) as caught:
        await machines.activate(model_id, on=machines.second)
    assert "Give every server the same UNDERSTUDY_STORE" in caught.value.remedy


async def test_nothing_goes_live_that_the_store_lacks_and_a_roll_back_needs_no_store(
    machines: Machines, make_model: ModelFactory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before, after, never = [
        await machines.register(make_model, name, winner) for winner, name in enumerate(("before", "after", "never"))
    ]
    await machines.activate(before)
    await machines.activate(after)

    _cut_store(monkeypatch)
    with pytest.raises(StoreUnavailable):
        await machines.activate(never)
    live = machines.first.live.current
    assert live is not None
    assert live.model.identity.model_id == after
    target, _ = await machines.first.activation.find_previous()
    await machines.activate(target)
    live = machines.first.live.current
    assert live is not None
    assert live.model.identity.model_id == before


async def test_another_store_is_not_taken_to_have_what_the_one_before_had(
    machines: Machines, make_model: ModelFactory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one, two = await machines.register_signed(make_model)
    await machines.activate(one)
    await machines.activate(two)
    moved = machines.first.settings.model_copy(update={"store": f"file://{tmp_path}/moved"})
    async with open_services(moved) as first:
        with monkeypatch.context() as cut:
            _cut_store(cut)
            with pytest.raises(StoreUnavailable):
                await machines.activate(one, on=first)
        assert _find_live(first) is None
        await machines.activate(one, on=first)
    stored = {path.parent.name for path in (tmp_path / "moved").glob("*/*.json")}
    assert stored == {"compiled", "signatures", "sources"}


async def test_what_a_store_lost_is_stored_again_by_the_next_activation(
    machines: Machines, make_model: ModelFactory
) -> None:
    one, two = await machines.register(make_model, "one", 1), await machines.register(make_model, "two", 2)
    await machines.activate(one)
    await machines.activate(two)
    shutil.rmtree(machines.store)
    await machines.activate(one)
    assert machines.list_manifests() == ["compiled", "sources"]


@pytest.mark.parametrize("kind", ["compiled", "source"])
async def test_a_fetched_file_that_was_changed_on_disk_is_fetched_again_and_never_used(
    machines: Machines, no_compiler: None, make_model: ModelFactory, kind: str
) -> None:
    model_id = await machines.register(make_model)
    await machines.activate(model_id)
    second = machines.second
    record = await second.registry.ensure_file_record(model_id)
    [manifest] = (machines.store / "compiled").glob("*.json")

    async def fetch() -> Path | None:
        if kind == "source":
            return await second.file_sharing.fetch_source(record)
        found = await second.file_sharing.find_compiled(manifest.stem)
        return None if found is None else found.folder / "model.onnx"

    path = await fetch()
    assert path is not None
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert await fetch() == path
    assert path.read_bytes() == content


async def test_a_machine_that_cannot_fetch_keeps_its_model_and_follows_later(
    machines: Machines, no_compiler: None, make_model: ModelFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = [
        await machines.register(make_model, name, winner) for winner, name in enumerate(("before", "after"))
    ]
    await machines.activate(before)
    await machines.second.reconciler.poll_once()
    await machines.activate(after)
    read = Objects.read

    def fail(*_: object) -> bytes | None:
        raise StoreUnavailable("The store does not answer.")

    monkeypatch.setattr(Objects, "read", fail)
    await machines.second.reconciler.poll_once()
    live = machines.second.live.current
    assert live is not None
    assert live.model.identity.model_id == before
    assert isinstance(machines.second.reconciler.problem, StoreUnavailable)
    monkeypatch.setattr(Objects, "read", read)
    monkeypatch.setattr(machines.second.reconciler, "_retry_at", 0.0)
    await machines.second.reconciler.poll_once()
    live = machines.second.live.current
    assert live is not None
    assert live.model.identity.model_id == after


async def test_a_compiled_model_that_is_not_what_its_report_says_is_refused(
    machines: Machines, no_compiler: None, make_model: ModelFactory
) -> None:
    one, two = await machines.register(make_model, "one", 1), await machines.register(make_model, "two", 2)
    await machines.activate(one)
    [manifest] = (machines.store / "compiled").glob("*.json")
    mixed = manifest.read_text()
    await machines.activate(two)
    [other] = [path for path in (machines.store / "compiled").glob("*.json") if path != manifest]
    other.write_text(mixed)
    await machines.second.reconciler.poll_once()
    assert isinstance(machines.second.reconciler.problem, StoredFileDamaged)
    assert machines.second.live.current is None


async def test_the_watch_stores_what_was_compiled_and_keeps_what_is_loaded(
    machines: Machines, make_model: ModelFactory
) -> None:
    model_id = await machines.register(make_model)
    loaded = await machines.first.model_resolver._preparation.prepare(model_id, ignore_step)
    assert machines.list_manifests() == []
    async with AsyncExitStack() as stack:
        watching = asyncio.create_task(machines.first.file_sharing.watch())
        stack.callback(watching.cancel)
        async with asyncio.timeout(20):
            while machines.list_manifests() != ["compiled", "sources"]:
                await asyncio.sleep(0.05)
    assert (machines.first.settings.compiled_dir / loaded.engine_model.report.key).is_dir()


async def test_the_watch_asks_the_store_again_after_an_hour(
    machines: Machines, make_model: ModelFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody may have deleted what it had: it is stored again then, and not before."""
    now, looks = 0.0, 0
    monkeypatch.setattr(file_sharing, "time", SimpleNamespace(monotonic=lambda: now))
    model_id = await machines.register(make_model)
    await machines.first.model_resolver._preparation.prepare(model_id, ignore_step)
    after: dict[int, list[str]] = {}

    async def look_again(_: float) -> None:
        nonlocal now, looks
        looks += 1
        after[looks] = machines.list_manifests()
        if looks == 1:
            shutil.rmtree(machines.store)
        now = {1: file_sharing.VERIFY_SECONDS - 1, 2: file_sharing.VERIFY_SECONDS}.get(looks, now)
        if looks == 3:
            raise asyncio.CancelledError

    monkeypatch.setattr(file_sharing, "asyncio", SimpleNamespace(sleep=look_again, to_thread=asyncio.to_thread))
    with pytest.raises(asyncio.CancelledError):
        await machines.first.file_sharing.watch()
    assert after == {1: ["compiled", "sources"], 2: [], 3: ["compiled", "sources"]}


def _make_signer(name: str) -> tuple[bytes, Signer]:
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private, Signer(name=name, public_key=public.decode())


def _find_live(services: Services) -> int | None:
    return services.live.current.model.identity.model_id if services.live.current else None


async def test_a_machine_without_file_and_signature_follows_to_a_signed_model(
    machines: Machines, no_compiler: None, make_model: ModelFactory
) -> None:
    private, release = _make_signer("release")
    first, second = machines.first, machines.second
    await first.policies.update(PoliciesUpdate(signers=(release,)), "test")
    model_id = await machines.register(make_model)
    with pytest.raises(NotSigned, match=r"There is no signature models/barks\.onnx\.sig"):
        await machines.activate(model_id)
    await first.signatures.sign(model_id, private)
    await machines.activate(model_id)
    await second.reconciler.poll_once()
    assert _find_live(second) == model_id
    described = await second.signatures.describe(model_id)
    assert (described.state, described.signer) == ("valid", "release")
    # Another spec was not signed, and the signature of the spec before is not taken for it.
    await first.registry.update(model_id, ModelUpdate(spec=PartialSpec(labels=["x", "y", "z"])), "test")
    with pytest.raises(NotSigned, match="There is no signature"):
        await machines.activate(model_id, on=second)


@pytest.mark.parametrize("content", [b"", b"{}", None])
async def test_a_fetched_signature_that_was_changed_on_disk_is_fetched_again(
    machines: Machines, no_compiler: None, make_model: ModelFactory, content: bytes | None
) -> None:
    one, _ = await machines.register_signed(make_model)
    await machines.activate(one)
    second = machines.second
    await second.reconciler.poll_once()
    [copy] = (second.settings.var_dir / "cache" / "signatures").iterdir()
    right = copy.read_bytes()
    copy.unlink()
    if content is None:
        copy.mkdir()
    else:
        copy.write_bytes(content)
    model = await second.registry.ensure_file_record(one)
    assert await second.signatures.require(model, with_examples=False)
    assert copy.read_bytes() == right


async def test_a_changed_signature_is_not_taken_for_an_absent_one_while_the_store_is_silent(
    machines: Machines, no_compiler: None, make_model: ModelFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = await machines.register_signed(make_model)
    await machines.activate(one)
    second = machines.second
    await second.reconciler.poll_once()
    [copy] = (second.settings.var_dir / "cache" / "signatures").iterdir()
    copy.write_bytes(b"")
    _cut_store(monkeypatch)
    with pytest.raises(StoreUnavailable):
        await second.signatures.require(await second.registry.ensure_file_record(one), with_examples=False)


async def test_a_signature_by_another_key_reaches_the_other_machines_with_the_policy(
    machines: Machines, no_compiler: None, make_model: ModelFactory
) -> None:
    (old_private, old), (new_private, new) = _make_signer("old"), _make_signer("new")
    first, second = machines.first, machines.second
    model_id = await machines.register(make_model)
    await first.signatures.sign(model_id, old_private)
    await first.policies.update(PoliciesUpdate(signers=(old,)), "test")
    await machines.activate(model_id)
    await first.signatures.sign(model_id, new_private)
    await first.policies.update(PoliciesUpdate(signers=(new,)), "test")
    await second.reconciler.poll_once()
    assert _find_live(second) == model_id
    assert (await second.signatures.describe(model_id)).signer == "new"


async def test_a_signature_that_somebody_put_into_the_store_does_not_count(
    machines: Machines, no_compiler: None, make_model: ModelFactory
) -> None:
    one, two = await machines.register_signed(make_model)
    await machines.activate(one)
    signatures = machines.store / "signatures"
    of_one = {path: path.read_text() for path in signatures.glob("*.json")}
    await machines.activate(two)
    for path in set(signatures.glob("*.json")) - of_one.keys():
        path.write_text(next(iter(of_one.values())))
    await machines.second.reconciler.poll_once()
    assert isinstance(machines.second.reconciler.problem, NotSigned)
    assert _find_live(machines.second) is None


async def test_examples_that_were_signed_count_where_the_file_is_not(
    machines: Machines, no_compiler: None, make_model: ModelFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, release = _make_signer("release")
    await machines.first.policies.update(PoliciesUpdate(signers=(release,)), "test")
    before, model_id = await machines.register(make_model, "before"), await machines.register(make_model, "after", 2)
    for each in (before, model_id):
        await machines.first.signatures.sign(each, private)
        await machines.activate(each)
    await machines.activate(before, on=machines.second)
    found = ExampleSet(examples=(Example(file="a.wav", label="b", digest="0" * 64, bytes=1),))

    async def find(*_: object) -> ExampleSet:
        return found

    monkeypatch.setattr(example_rows, "find", find)
    with pytest.raises(NotSigned, match="There is no signature"):
        await machines.activate(model_id, on=machines.second)
    await machines.first.signatures.sign(model_id, private)
    await machines.first.signatures.share_new()
    await machines.second.signatures.require(
        await machines.second.registry.ensure_file_record(model_id), with_examples=True
    )


async def test_signatures_of_models_that_are_not_live_are_stored_in_the_background(
    machines: Machines, no_compiler: None, make_model: ModelFactory
) -> None:
    private, release = _make_signer("release")
    model_id = await machines.register(make_model)
    await machines.first.model_resolver._preparation.prepare(model_id, ignore_step)
    await machines.first.policies.update(PoliciesUpdate(signers=(release,)), "test")
    await machines.first.signatures.share_new()
    assert not (machines.store / "signatures").exists()
    await machines.first.signatures.sign(model_id, private)
    await machines.first.signatures.share_new()
    assert (await machines.second.signatures.describe(model_id)).state == "valid"


async def test_without_the_store_a_missing_signature_is_not_taken_for_an_absent_one(
    machines: Machines, no_compiler: None, make_model: ModelFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, release = _make_signer("release")
    model_id = await machines.register(make_model)
    await machines.first.signatures.sign(model_id, private)
    await machines.first.policies.update(PoliciesUpdate(signers=(release,)), "test")
    await machines.activate(model_id)

    def fail(*_: object) -> None:
        raise StoreUnavailable("The store does not answer.")

    monkeypatch.setattr(Objects, "read", fail)
    await machines.second.reconciler.poll_once()
    assert isinstance(machines.second.reconciler.problem, StoreUnavailable)
    assert "does not answer" in (await machines.second.signatures.describe(model_id)).detail
    await machines.activate(model_id)
