"""One simulated server: everything with which a server follows the registry, and no model.

Database, reconciler, listener, reports, and the looks at accounts and signatures are the product's own. Only the file
is not read, compiled or loaded.
"""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import cast

from understudy.access.access import Access
from understudy.compiler.compiled_store import CompiledStore
from understudy.engine.engine import EngineModel
from understudy.errors import WarmUpFailed
from understudy.registry.database.database import Database
from understudy.registry.registry import Registry
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.inference.prediction import ModelIdentity
from understudy.serving.activation.preparation import Preparation
from understudy.serving.activation.signatures import ModelSignatures
from understudy.serving.compilation.file_sharing import FileSharing
from understudy.serving.sync.live_model import LiveModelReference, LoadedModel
from understudy.serving.sync.poll_loop import PollLoop
from understudy.serving.sync.reconciler import Reconciler
from understudy.serving.telemetry.counters import Counters
from understudy.settings import Settings


class Load:
    """The cost of loading a model, for all followers of a process: seconds, and whether it fails."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.fails = False


class EmptyPreparation:
    """Asks the database what a server asks before it loads a model, and then waits instead of loading it."""

    def __init__(self, registry: Registry, signatures: ModelSignatures, load: Load) -> None:
        self._registry = registry
        self._signatures = signatures
        self._load = load

    async def prepare_desired(self, model_id: int, variant: str = Precision.FLOAT32) -> LoadedModel:
        """Return a model without an engine. Raises WarmUpFailed where the run wants that."""
        await self._signatures.require(await self._registry.ensure_file_record(model_id), with_examples=False)
        model = await self._registry.ensure_file_record(model_id)
        await asyncio.sleep(self._load.seconds)
        if self._load.fails:
            raise WarmUpFailed("There is no memory for it.")
        identity = ModelIdentity(model_id=model_id, model_name="simulated", version=None, digest=model.facts.digest)
        return LoadedModel(identity, cast("EngineModel", None), variant=variant)


class Follower:
    """A server of the fleet, without HTTP and without an engine."""

    def __init__(self, number: int, address: str, home: Path, poll_seconds: float, load: Load) -> None:
        settings = Settings(home=home, database_url=address, poll_seconds=poll_seconds)
        self._database = Database(settings)
        registry = Registry(settings, self._database)
        sharing = FileSharing(settings, self._database, registry, CompiledStore(settings.compiled_dir), read_only=True)
        signatures = ModelSignatures(self._database, registry, sharing)
        self._access = Access(settings, self._database)
        self.reconciler = Reconciler(
            settings,
            self._database,
            cast("Preparation", EmptyPreparation(registry, signatures, load)),
            LiveModelReference(),
            Counters(),
        )
        self._poll_loop = PollLoop(settings, self.reconciler)
        self.reconciler.reporter.replica = f"simulated-{number:04}:1"

    async def run(self, *, accounts: bool) -> None:
        """Follow the registry until cancelled, as a server at rest does; with `accounts` also their changes."""
        work: list[Awaitable[None]] = [self._poll_loop.run(_publish_nothing), self._poll_loop.listen()]
        if accounts:
            work.append(self._access.watch())
        try:
            await asyncio.gather(*work)
        finally:
            await self._database.dispose()


async def _publish_nothing() -> None:
    """No page is open."""
