"""The shared YAMNet backbone, loaded once for every head."""

import asyncio

import structlog

from app.inference.backbone import Backbone
from app.serving.pool import WorkerPool
from app.settings import Settings

log = structlog.get_logger()


class BackboneHolder:
    """Loads the backbone on first use; a backbone installed while the server runs is found at the next activation."""

    def __init__(self, settings: Settings, pool: WorkerPool) -> None:
        self._path = settings.backbone_path
        self._pool = pool
        self._backbone: Backbone | None = None
        self._once = asyncio.Lock()

    @property
    def loaded(self) -> Backbone | None:
        return self._backbone

    async def get(self) -> Backbone | None:
        """The backbone, or None where no file is installed. Raises what `Backbone.load` raises for a bad file."""
        async with self._once:
            if self._backbone is None and await asyncio.to_thread(self._path.exists):
                self._backbone = await self._pool.load(Backbone.load, self._path)
                log.info("backbone loaded", file=str(self._path), digest=self._backbone.digest)
            return self._backbone
