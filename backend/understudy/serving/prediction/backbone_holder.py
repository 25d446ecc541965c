"""The shared YAMNet backbone, loaded once for every head."""

import asyncio
from pathlib import Path
from weakref import WeakValueDictionary

import structlog

from understudy.inference.pipeline.yamnet_backbone import Backbone
from understudy.serving.scheduling.worker_pool import WorkerPool
from understudy.settings import Settings

log = structlog.get_logger()


class BackboneHolder:
    """Loads the backbone on first use, and again once another one is installed: the next activation finds it.

    A loaded model keeps the backbone that it was loaded with.
    """

    def __init__(self, settings: Settings, pool: WorkerPool) -> None:
        self._path = settings.backbone_path
        self._pool = pool
        self._backbone: Backbone | None = None
        self._loaded_from: tuple[int, int, int] | None = None
        self._twins: WeakValueDictionary[str, Backbone] = WeakValueDictionary()
        self._settings = settings
        self._once = asyncio.Lock()

    @property
    def loaded(self) -> Backbone | None:
        return self._backbone

    async def get(self) -> Backbone | None:
        """The backbone, or None where none was ever installed. Raises what `Backbone.load` raises for a bad file."""
        async with self._once:
            present = await asyncio.to_thread(_which, self._path)
            if present is not None and present != self._loaded_from:
                self._backbone = await self._pool.load(Backbone.load, self._path)
                self._loaded_from = present
                log.info("backbone loaded", file=str(self._path), digest=self._backbone.digest)
            return self._backbone

    async def twin(self, name: str) -> Backbone:
        """The int8 form of the backbone, shared by every head that runs on it. Raises BackboneMissing."""
        async with self._once:
            backbone = self._twins.get(name)
            if backbone is None:
                backbone = self._twins[name] = await self._pool.load(
                    Backbone.load, self._settings.quantized_backbone_path(name)
                )
                log.info("int8 backbone loaded", file=f"{name}.onnx", digest=backbone.digest)
            return backbone


def _which(path: Path) -> tuple[int, int, int] | None:
    """What changes when another file takes the path's place; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
