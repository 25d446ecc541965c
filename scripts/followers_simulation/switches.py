"""Switches models as an activation does, and waits for the followers as `wait=all` does."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from understudy.registry import schema
from understudy.registry.database.database import Database
from understudy.registry.deployment import desired_state
from understudy.registry.registry import Registry
from understudy.schemas.registry.model import ModelCreate
from understudy.schemas.server.rollout import Rollout, RolloutOptions
from understudy.serving.activation.activation import Activation
from understudy.serving.activation.rollouts import Rollouts
from understudy.serving.sync.live_model import LiveModel, LoadedModel
from understudy.serving.telemetry.replica_reports import ReplicaReports
from understudy.settings import Settings


@dataclass(frozen=True)
class ListCost:
    """The cost of `GET /api/v1/replicas` without HTTP: time to read, and to write as JSON of `size` bytes."""

    read_ms: float
    encode_ms: float
    size: int


class Switcher:
    """A server of the registry that activates models."""

    def __init__(self, database: Database, models: Sequence[int]) -> None:
        self._database = database
        self._models = models
        self._reports = ReplicaReports(database)
        # Nothing is returned: no share of failures is named.
        self._rollouts = Rollouts(database, self._reports, cast("Activation", None), lambda: None)
        self._switches = 0

    async def switch(self) -> int:
        """Let the models take turns, and return the generation that was committed."""
        model_id = self._models[self._switches % len(self._models)]
        self._switches += 1
        async with self._database.write() as session:
            return await desired_state.switch(session, model_id, actor="simulation")

    async def wait_for_all(self, generation: int, seconds: float) -> Rollout:
        """Wait until every follower serves the generation."""
        live = LiveModel(cast("LoadedModel", None), generation, datetime.now(UTC))
        return await self._rollouts.follow(live, RolloutOptions(timeout_seconds=seconds), "simulation")

    async def measure_list(self) -> ListCost:
        """Measure the list of servers as the endpoint makes it; the shortest of five attempts."""
        costs = []
        for _ in range(5):
            began = time.perf_counter()
            found = await self._reports.list()
            read = time.perf_counter()
            text = found.model_dump_json()
            costs.append(ListCost(1e3 * (read - began), 1e3 * (time.perf_counter() - read), len(text)))
        return min(costs, key=lambda cost: cost.read_ms + cost.encode_ms)


@asynccontextmanager
async def open_switcher(address: str, home: Path) -> AsyncIterator[Switcher]:
    """Register two models in an empty database, and yield what switches between them."""
    settings = Settings(home=home, database_url=address)
    async with Database(settings) as database:
        await schema.migrate(database)
        registry = Registry(settings, database)
        models = []
        for name in ("first", "second"):
            (settings.models_dir / f"{name}.onnx").write_bytes(name.encode())
            request = ModelCreate(model_name=name, file_path=f"models/{name}.onnx")
            models.append((await registry.register(request, "simulation")).model_id)
        yield Switcher(database, models)
