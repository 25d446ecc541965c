"""Finds the file of the backbone that a compiled model runs on."""

import asyncio
from pathlib import Path

import structlog

from understudy.backbones.store import MANIFEST_FILE, BackboneStore
from understudy.engine.engine import BackboneFile
from understudy.errors import BackboneMissing
from understudy.files.known_digests import FileReplaced, KnownDigests
from understudy.schemas.compiler.backbone import BackboneManifest
from understudy.schemas.compiler.report import CompileReport
from understudy.settings import Settings

log = structlog.get_logger()


class BackboneHolder:
    """Knows the digest of YAMNet's file, and computes it again where another one was installed.

    A loaded model keeps the backbone that it was loaded with; an engine shares one of the same digest between models.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._installed: BackboneFile | None = None
        self._digests = KnownDigests()
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
        if await asyncio.to_thread(path.exists):
            found = await self._read(path)
            if found != self._installed:
                log.info("backbone found", file=str(path), digest=found.digest)
            self._installed = found
        return self._installed

    async def get_for(self, report: CompileReport) -> BackboneFile | None:
        """Return the backbone that a compiled model runs on: float32, int8, or None for a model without one.

        Raises BackboneMissing where its file cannot be read, or an int8 one is not that of the variant. An installed
        backbone that a model was loaded with before is returned also after its folder has disappeared: the engine may
        still hold it.
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
            path = self._settings.quantized_backbone_path(report.quantization.backbone)
            return _require(await self._read(path), report.quantization.backbone_file_digest)
        return await self.get()

    async def _read(self, path: Path) -> BackboneFile:
        def read() -> BackboneFile:
            try:
                return BackboneFile(path, self._digests.compute(path))
            except FileReplaced as error:
                raise BackboneMissing(
                    f"The YAMNet backbone at {path} was replaced while it was read.", remedy="Try again."
                ) from error
            except OSError as error:
                raise BackboneMissing(f"There is no YAMNet backbone at {path}: {error.strerror}.") from error

        return await asyncio.to_thread(read)


def _require(found: BackboneFile, digest: str | None) -> BackboneFile:
    """Return the int8 backbone. Raises BackboneMissing unless it has the digest; None is that of no known file."""
    if digest is not None and found.digest != digest:
        raise BackboneMissing(
            f"The int8 backbone at {found.path} was changed since the variant was measured.",
            remedy="Remove that file. A server with UNDERSTUDY_STORE then fetches it again; otherwise copy it from a "
            "backup or from another server, or make the variant again: `understudy compile MODEL_ID --precision int8`.",
        )
    return found
