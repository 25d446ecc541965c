"""Loads the YAMNet backbone once for every head that runs on it."""

import asyncio
from pathlib import Path
from weakref import WeakValueDictionary

import structlog

from understudy.engine.scheduling.worker_pool import WorkerPool
from understudy.inference.clip_input.yamnet_backbone import Backbone
from understudy.schemas.compiler.report import CompileReport
from understudy.settings import Settings

log = structlog.get_logger()


class BackboneHolder:
    """Loads the backbone on first use, and again at the next activation after another backbone was installed.

    A loaded model keeps the backbone that it was loaded with.
    """

    def __init__(self, settings: Settings, pool: WorkerPool) -> None:
        self._path = settings.backbone_path
        self._pool = pool
        self._backbone: Backbone | None = None
        self._loaded_from: tuple[int, int, int] | None = None
        self._int8_backbones: WeakValueDictionary[str, Backbone] = WeakValueDictionary()
        self._settings = settings
        self._loading = asyncio.Lock()

    @property
    def loaded(self) -> Backbone | None:
        return self._backbone

    async def get(self) -> Backbone | None:
        """Return the backbone; None where none was ever installed.

        Raises what `Backbone.load` raises for a file that it cannot read.
        """
        async with self._loading:
            present = await asyncio.to_thread(_identify, self._path)
            if present is not None and present != self._loaded_from:
                self._backbone = await self._pool.load(Backbone.load, self._path)
                self._loaded_from = present
                log.info("backbone loaded", file=str(self._path), digest=self._backbone.digest)
            return self._backbone

    async def get_for(self, report: CompileReport) -> Backbone | None:
        """Return the backbone that a compiled model runs on: float32, int8, or None for a model without one.

        Raises what `get` and `get_int8` raise.
        """
        if not report.spec.input.on_backbone:
            return None
        if report.quantization is not None and report.quantization.backbone is not None:
            return await self.get_int8(report.quantization.backbone)
        return await self.get()

    async def get_int8(self, name: str) -> Backbone:
        """Return the int8 variant `name` of the backbone, which all heads calibrated on the same clips share.

        Raises BackboneMissing.
        """
        async with self._loading:
            backbone = self._int8_backbones.get(name)
            if backbone is None:
                backbone = self._int8_backbones[name] = await self._pool.load(
                    Backbone.load, self._settings.quantized_backbone_path(name)
                )
                log.info("int8 backbone loaded", file=f"{name}.onnx", digest=backbone.digest)
            return backbone


def _identify(path: Path) -> tuple[int, int, int] | None:
    """Return inode, size in bytes and modification time, which differ for another file; None for a missing file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
