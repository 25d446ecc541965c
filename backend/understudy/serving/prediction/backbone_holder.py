"""Finds the file of the backbone that a compiled model runs on."""

import asyncio
import hashlib
from pathlib import Path

import structlog

from understudy.backbones.store import MANIFEST_FILE, BackboneStore
from understudy.engine.engine import BackboneFile
from understudy.errors import BackboneMissing
from understudy.files.regular_file import open_regular
from understudy.schemas.compiler.backbone import BackboneManifest
from understudy.schemas.compiler.report import CompileReport
from understudy.settings import Settings

log = structlog.get_logger()

Identity = tuple[int, int, int]


class BackboneHolder:
    """Knows the digest of YAMNet's file, and computes it again where another one was installed.

    A loaded model keeps the backbone that it was loaded with; an engine shares one of the same digest between models.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._installed: BackboneFile | None = None
        self._known: dict[Path, tuple[Identity, str]] = {}
        self._store = BackboneStore(settings.named_backbones_dir)
        self._used: dict[str, BackboneFile] = {}

    @property
    def installed(self) -> BackboneFile | None:
        """The YAMNet that models were last loaded with; None before the first."""
        return self._installed

    async def list_named(self) -> list[BackboneManifest]:
        """Return the backbones that were installed under names."""
        return await asyncio.to_thread(self._store.list_all)

    async def get(self) -> BackboneFile | None:
        """Return YAMNet; None where none was ever installed. Raises BackboneMissing as `identify`."""
        path = self._settings.backbone_path
        if await asyncio.to_thread(_identify, path) is not None:
            found = await self._read(path)
            if found != self._installed:
                log.info("backbone found", file=str(path), digest=found.digest)
            self._installed = found
        return self._installed

    async def get_for(self, report: CompileReport) -> BackboneFile | None:
        """Return the backbone that a compiled model runs on: float32, int8, or None for a model without one.

        Raises BackboneMissing where its file cannot be read. An installed backbone that a model was loaded with before
        is returned also after its folder has disappeared: the engine may still hold it.
        """
        if not report.spec.input.on_backbone:
            return None
        if (named := report.spec.backbone) is not None:
            if named.digest not in self._used:
                await asyncio.to_thread(self._store.require, named)
                manifest = self._store.locate(named.digest) / MANIFEST_FILE
                self._used[named.digest] = BackboneFile(manifest, named.digest)
            return self._used[named.digest]
        if report.quantization is not None and report.quantization.backbone is not None:
            return await self._read(self._settings.quantized_backbone_path(report.quantization.backbone))
        return await self.get()

    async def _read(self, path: Path) -> BackboneFile:
        def read() -> BackboneFile:
            known, identity = self._known.get(path), _identify(path)
            if known is None or known[0] != identity:
                try:
                    with open_regular(path) as file:
                        digest = hashlib.file_digest(file, "sha256").hexdigest()
                except OSError as error:
                    raise BackboneMissing(f"There is no YAMNet backbone at {path}: {error.strerror}.") from error
                if identity is None or identity != _identify(path):
                    raise BackboneMissing(
                        f"The YAMNet backbone at {path} was replaced while it was read.", remedy="Try again."
                    )
                self._known[path] = known = identity, digest
            return BackboneFile(path, known[1])

        return await asyncio.to_thread(read)


def _identify(path: Path) -> Identity | None:
    """Return inode, size in bytes and modification time, which differ for another file; None for a missing file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
