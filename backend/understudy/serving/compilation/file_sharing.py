"""Shares model files, signatures, compiled models and backbones of a registry by an object store."""

import asyncio
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from uuid import uuid4
from weakref import WeakValueDictionary

import structlog

from understudy.backbones.store import BackboneStore, read_backbone, verify_backbone
from understudy.compiler import model_source
from understudy.compiler.compiled_store import CompiledModel, CompiledStore
from understudy.engine.engine import EngineModel
from understudy.errors import BackboneMissing, StoreUnavailable, UnderstudyError
from understudy.files.disk_errors import translate_disk_errors
from understudy.files.known_digests import KnownDigests
from understudy.files.regular_file import open_regular, read_regular
from understudy.object_store.file_cache import FileCache
from understudy.object_store.manifest import Manifest
from understudy.object_store.objects import Objects
from understudy.object_store.shared_files import SharedFiles, build_damaged, remove
from understudy.registry.database.database import Database
from understudy.registry.files.model_signature import MOST_BYTES
from understudy.registry.models import file_records
from understudy.registry.models.file_records import RegisteredFile
from understudy.registry.registry import Registry
from understudy.schemas.compiler.report import CompileReport
from understudy.settings import Settings

log = structlog.get_logger()

# Time in seconds between two looks for models that are not in the store yet.
PUBLISH_SECONDS = 30.0
# Time in seconds after which the store is asked again for what it had: somebody may have deleted it.
VERIFY_SECONDS = 3600.0


class FileSharing:
    """Fetches what this machine lacks, and stores what the others may need. Without a store it does neither.

    A model goes live only when the store has its compiled model: any other server can then load it.
    """

    def __init__(
        self, settings: Settings, database: Database, registry: Registry, store: CompiledStore, *, read_only: bool
    ) -> None:
        """Raises Misconfigured for an address that cannot be used. With `read_only` nothing is stored."""
        self._settings = settings
        self._database = database
        self._registry = registry
        self._store = store
        self._read_only = read_only
        self._backbones = BackboneStore(settings.named_backbones_dir)
        self._digests = KnownDigests()
        self._files: SharedFiles | None = None
        self._folder = store.root.with_name("cache")  # of a command that only reads: a temporary one
        self._verified: set[str] = set()
        self._loaded: WeakValueDictionary[str, EngineModel] = WeakValueDictionary()
        if settings.store is not None:
            self._files = SharedFiles(Objects(settings.store), self._folder / "partial")
        store_digest = self._files.store_digest if self._files is not None else "none"
        self._cache = FileCache(self._folder / "stored" / store_digest, settings.store_cache_bytes)

    @property
    def is_enabled(self) -> bool:
        return self._files is not None

    async def find_compiled(self, key: str) -> CompiledModel | None:
        """Return a compiled model from this machine or from the store; None where neither has it.

        The backbone that it runs on is fetched too. Raises StoreUnavailable and StoredFileDamaged only where this
        machine lacks something.
        """
        return await asyncio.to_thread(self._find_compiled, key)

    async def fetch_source(self, model: RegisteredFile) -> Path | None:
        """Return the path of the registered file, fetched from the store; None where the store lacks it.

        Raises StoreUnavailable and StoredFileDamaged.
        """
        return await asyncio.to_thread(self._fetch_source, model.facts.digest)

    async def fetch_backbone(self, digest: str) -> None:
        """Fetch an installed backbone that this machine lacks. Raises StoreUnavailable and StoredFileDamaged."""
        await asyncio.to_thread(self._fetch_backbone, digest)

    async def publish(self, model: RegisteredFile, compiled: CompiledModel) -> None:
        """Store the backbone, the file and the compiled model, unless the store has them.

        Where this machine stored them before and the store does not answer now, they count as stored: a roll back needs
        no store. A file that is not here, or was changed, is not stored. Raises StoreUnavailable, and BackboneMissing
        where the store lacks the backbone and this machine does not have it as it was installed.
        """
        if self._files is None or self._read_only:
            return
        known = self._cache.has(compiled.folder)
        if not known or await asyncio.to_thread(_is_lost, self._files, compiled.key):
            await asyncio.to_thread(self._publish, self._files, model, compiled)

    async def fetch_signature(self, name: str, *, again: bool = False) -> bytes | None:
        """Return a signature from this machine's copy or from the store; None where the store lacks it.

        With `again` the copy does not count: it may have been changed. Raises StoreUnavailable and StoredFileDamaged.
        """
        return await asyncio.to_thread(self._fetch_signature, name, again)

    async def publish_signature(self, name: str, bundle: bytes) -> None:
        """Store a signature, unless this machine knows that the store has one. Raises StoreUnavailable."""
        if self._files is not None and not self._read_only:
            await asyncio.to_thread(self._publish_signature, self._files, name, bundle)

    def note_loaded(self, compiled: CompiledModel, model: EngineModel) -> None:
        """Keep the compiled model on this machine while `model` is in use: a new worker process loads it again."""
        self._loaded[compiled.key] = model

    async def watch(self) -> None:
        """Store models that were compiled here, and delete what was not used for long, until cancelled.

        Raises StoreUnavailable and DatabaseUnavailable; the caller starts this again.
        """
        verified_at = time.monotonic()
        if self._files is not None:
            await asyncio.to_thread(self._cache.forget_other_stores)
        while self._files is not None:
            if time.monotonic() - verified_at >= VERIFY_SECONDS:
                verified_at = time.monotonic()
                self._verified.clear()
            async with self._database.read() as session:
                models = await file_records.list_compiled(session)
            for model in models:
                await self._publish_if_here(self._files, model)
            in_use = frozenset(self._loaded)
            for entry in await asyncio.to_thread(self._cache.evict, in_use):
                log.info("fetched file removed from this machine", entry=entry.name)
            await asyncio.sleep(PUBLISH_SECONDS)

    async def _publish_if_here(self, files: SharedFiles, model: RegisteredFile) -> None:
        key = self._store.compute_key(model.facts.digest, model.spec)
        for each in filter(None, (key, model.int8_variant)):
            if each not in self._verified:
                compiled = await asyncio.to_thread(self._store.find, each)
                if compiled is not None:
                    try:
                        await asyncio.to_thread(self._publish, files, model, compiled)
                    except BackboneMissing as error:  # an activation says so
                        log.debug("model not stored", key=each, reason=error.detail)
                    else:
                        self._verified.add(each)

    def _find_compiled(self, key: str) -> CompiledModel | None:
        found = self._store.find(key)
        if self._files is None:
            return found
        if found is None and self._fetch_compiled(self._files, key):
            found = self._store.find(key)
        if found is None:
            return None
        self._cache.mark_used(found.folder)
        report = found.report
        if report.spec.backbone is not None and report.spec.backbone.digest is not None:
            self._fetch_backbone(report.spec.backbone.digest)
        if report.quantization is not None and report.quantization.backbone is not None:
            path = self._settings.quantized_backbone_path(report.quantization.backbone)
            digest = report.quantization.backbone_file_digest
            if not self._read_only:
                self._fetch_missing(f"int8-backbones/{path.name}", path, lambda place: self._has_digest(place, digest))
        return found

    def _fetch_compiled(self, files: SharedFiles, key: str) -> bool:
        name = _name_compiled(key)
        made = self._folder / "incoming" / f"{key}-{uuid4().hex}"
        try:
            if not files.fetch(name, made):
                return False
            report = CompileReport.model_validate_json(read_regular(made / "report.json"))
            if report.key != key:
                raise build_damaged(name, f"it is the compiled model {report.key}")
            with translate_disk_errors(self._store.root):
                self._store.add(made, report)
        except (OSError, ValueError) as error:
            raise build_damaged(name, f"its files cannot be used: {type(error).__name__}") from None
        finally:
            shutil.rmtree(made, ignore_errors=True)  # else the next attempt would find what is left of it
        if (added := self._store.find(key)) is None:
            raise build_damaged(name, "its files are not those of its report")
        self._cache.add(added.folder)
        log.info("compiled model fetched", key=key)
        return True

    def _fetch_source(self, digest: str) -> Path | None:
        if self._files is None:
            return None
        path = self._folder / "sources" / digest
        if not self._fetch_missing(
            f"sources/{digest}", path, lambda place: model_source.compute_digest(place) == digest, cached=True
        ):
            return None
        self._cache.mark_used(path)
        return path

    def _fetch_signature(self, name: str, again: bool) -> bytes | None:
        if self._files is None:
            return None
        path = self._folder / "signatures" / name
        if again or not path.is_file():
            with translate_disk_errors(path):
                remove(path)
            if not self._files.fetch(f"signatures/{name}", path):
                return None
            self._cache.add(path)
        self._cache.mark_used(path)
        with open_regular(path) as file:
            return file.read(MOST_BYTES + 1)

    def _publish_signature(self, files: SharedFiles, name: str, bundle: bytes) -> None:
        """Store a signature, and keep a copy on this machine."""
        path = self._folder / "signatures" / name
        if path.exists() and self._cache.has(path):
            return
        with translate_disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self._folder, prefix=".new-") as part:
                part.write(bundle)
                part.flush()
                files.publish(f"signatures/{name}", Path(part.name), lambda _: True)
                with suppress(FileExistsError):  # another thread kept it
                    path.hardlink_to(part.name)
        self._cache.add(path)

    def _fetch_backbone(self, digest: str) -> None:
        place = self._backbones.locate(digest)
        if not self._read_only:
            self._fetch_missing(f"backbones/{digest}", place, lambda folder: self._is_backbone(folder, digest))

    def _fetch_missing(self, name: str, path: Path, is_right: Callable[[Path], bool], *, cached: bool = False) -> bool:
        """Get what is missing at `path` or was changed there; return whether the right one is there now.

        What was changed stays where the store lacks it: whoever needs it refuses it. What is `cached` may be deleted
        when space is needed.
        """
        if path.exists() and is_right(path):
            return True
        if self._files is None:
            return False
        if path.exists():
            log.warning("a file was changed on this machine; it is fetched again", file=str(path))
        found = self._files.fetch(name, path, is_right)
        if found:
            log.info("file fetched", name=name)
            if cached:
                self._cache.add(path)
        return found

    def _is_backbone(self, folder: Path, digest: str) -> bool:
        """Return whether a folder is the installed backbone of this digest, with all its files as they were."""
        manifest = read_backbone(folder, digest)
        return manifest is not None and verify_backbone(folder, manifest, self._digests.compute)

    def _has_digest(self, path: Path, digest: str | None) -> bool:
        """Return whether a file has this digest; one that no digest is known of counts."""
        try:
            return digest is None or self._digests.compute(path) == digest
        except OSError:
            return False

    def _publish(self, files: SharedFiles, model: RegisteredFile, compiled: CompiledModel) -> None:
        report = compiled.report
        if report.spec.backbone is not None and (digest := report.spec.backbone.digest) is not None:
            folder = self._backbones.locate(digest)
            whole = self._is_backbone(folder, digest)
            _require_stored(self._publish_path(files, f"backbones/{digest}", folder, lambda _: whole), folder)
        if report.quantization is not None and report.quantization.backbone is not None:
            path = self._settings.quantized_backbone_path(report.quantization.backbone)
            wanted = report.quantization.backbone_file_digest
            stored = self._publish_path(
                files, f"int8-backbones/{path.name}", path, lambda manifest: wanted in (None, manifest.files[0].digest)
            )
            _require_stored(stored, path)
        digest = model.facts.digest
        with suppress(UnderstudyError):  # its path may lead out of the home folder by now
            source, fetched = self._registry.files.resolve(model.facts.path), self._folder / "sources" / digest
            if not source.exists():  # this machine may have it from another store
                source = fetched
            if self._publish_path(
                files, f"sources/{digest}", source, lambda manifest: _compute_source_digest(manifest) == digest
            ):
                self._cache.note_stored(fetched)
        files.publish(_name_compiled(compiled.key), compiled.folder, lambda _: True)
        self._cache.note_stored(compiled.folder)

    def _publish_path(self, files: SharedFiles, name: str, path: Path, is_right: Callable[[Manifest], bool]) -> bool:
        """Store a file or folder that this machine has, and return whether the store has it."""
        try:
            return files.publish(name, path, is_right)
        except OSError as error:
            log.debug("file not stored", name=name, reason=str(error))
            return False


def _name_compiled(key: str) -> str:
    return f"compiled/{key}"


def _require_stored(stored: bool, place: Path) -> None:
    """Raises BackboneMissing unless the store has the backbone: no other server could load the model."""
    if not stored:
        raise BackboneMissing(
            f"The backbone at {place} is missing or was changed, and the store lacks it: no other server could load "
            "the model.",
            remedy="Install the backbone again: understudy backbone install NAME FILE.onnx --spec SPEC.json. Make an "
            "int8 variant again: understudy compile MODEL_ID --precision int8.",
        )


def _is_lost(files: SharedFiles, key: str) -> bool:
    """Return True where the store says that it lacks a compiled model; False where it does not answer soon."""
    try:
        return not files.has(_name_compiled(key), quick=True)
    except StoreUnavailable as error:
        log.warning("the store does not say whether it still has a model", key=key, reason=error.detail)
        return False


def _compute_source_digest(manifest: Manifest) -> str:
    """Return the digest as `compute_digest` does."""
    if not manifest.folder:
        return manifest.files[0].digest
    return model_source.compute_folder_digest((file.path, file.digest) for file in manifest.files)
