"""A backend on the database and the files of this machine, without a server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from understudy.container import Services, open_services
from understudy.registry.models.prediction_rows import PredictionFilter
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.inference.prediction import Prediction
from understudy.schemas.registry.deletion import ModelDeleted
from understudy.schemas.registry.examples import ModelExamples
from understudy.schemas.registry.logged_prediction import LoggedPredictionPage
from understudy.schemas.registry.model import (
    HistoryPage,
    ModelCreate,
    ModelList,
    ModelUpdate,
)
from understudy.schemas.registry.model_detail import ModelDetail
from understudy.schemas.registry.model_query import ModelQuery
from understudy.schemas.registry.signature import ModelSignature
from understudy.schemas.server.operation import Operation
from understudy.schemas.server.policies import ActivationRequest, Policies, PoliciesUpdate, PolicyStatus
from understudy.schemas.server.rollout import RolloutOptions
from understudy.schemas.server.status import Status
from understudy.settings import Settings


class DirectBackend:
    """Calls the use-cases in this process. A running server on the same database follows what they commit."""

    def __init__(self, services: Services, actor: str) -> None:
        self._services = services
        self._actor = actor

    async def register(self, request: ModelCreate) -> ModelDetail:
        return await self._services.examples.register(request, self._actor)

    async def list(self, query: ModelQuery) -> ModelList:
        return await self._services.registry.list(query)

    async def get(self, model_id: int) -> ModelDetail:
        return await self._services.registry.get(model_id)

    async def get_active(self) -> ModelDetail:
        return await self._services.registry.get_active()

    async def update(self, model_id: int, changes: ModelUpdate) -> ModelDetail:
        return await self._services.model_changes.update(model_id, changes, self._actor)

    async def delete(self, model_id: int) -> ModelDeleted:
        return await self._services.registry.delete(model_id, self._actor)

    async def get_examples(self, model_id: int) -> ModelExamples:
        return await self._services.examples.get(model_id)

    async def set_examples(self, model_id: int, file: Path) -> ModelExamples:
        return await self._services.examples.replace_from_file(model_id, file, self._actor)

    async def remove_examples(self, model_id: int) -> ModelExamples:
        return await self._services.examples.remove(model_id, self._actor)

    async def activate(
        self,
        model_id: int,
        precision: Precision = Precision.FLOAT32,
        *,
        tensors_only: bool = False,
        reason: str | None = None,
        override_freeze: bool = False,
        rollout: RolloutOptions | None = None,
    ) -> Operation:
        return await self._services.operations.activate(
            model_id,
            self._actor,
            wait=rollout is not None,
            precision=precision,
            tensors_only=tensors_only,
            reason=reason,
            override_freeze=override_freeze,
            rollout=rollout,
        )

    async def roll_back(
        self, reason: str | None = None, rollout: RolloutOptions | None = None, *, override_freeze: bool = False
    ) -> Operation:
        return await self._services.operations.roll_back(
            self._actor,
            wait=rollout is not None,
            reason=reason,
            override_freeze=override_freeze,
            rollout=rollout,
        )

    async def get_signature(self, model_id: int) -> ModelSignature:
        return await self._services.signatures.describe(model_id)

    async def get_policies(self) -> PolicyStatus:
        return await self._services.policies.get_status()

    async def update_policies(self, changes: PoliciesUpdate) -> Policies:
        return await self._services.policies.update(changes, self._actor)

    async def approve(self, request_id: int, *, reason: str | None = None, override_freeze: bool = False) -> Operation:
        override_reason = (reason or "") if override_freeze else None
        return await self._services.approvals.approve(
            request_id, self._actor, wait=False, override_reason=override_reason
        )

    async def decline(self, request_id: int, reason: str | None = None) -> ActivationRequest:
        return await self._services.approvals.decline(request_id, self._actor, reason)

    async def confirm(self, generation: int | None = None) -> PolicyStatus:
        return await self._services.policies.confirm(generation, self._actor)

    async def get_operation(self, operation_id: str) -> Operation:
        return await self._services.operations.get(operation_id)

    async def predict(self, clip: Path, model_id: int | None, *, strict: bool | None = None) -> Prediction:
        if model_id is None and self._services.live.current is None:
            await self._services.reconciler.load_desired()
        with await asyncio.to_thread(clip.open, "rb") as audio:
            return await self._services.predictor.predict(audio, model_id, strict=strict)

    async def list_history(
        self, *, model_id: int | None, event: str | None, at: datetime | None, limit: int, cursor: str | None
    ) -> HistoryPage:
        return await self._services.registry.list_history(
            model_id=model_id, event=event, at=at, limit=limit, cursor=cursor
        )

    async def list_predictions(
        self,
        *,
        since: datetime | None,
        until: datetime | None,
        model_id: int | None,
        label: str | None,
        limit: int,
        cursor: str | None,
    ) -> LoggedPredictionPage:
        return await self._services.prediction_log.list(
            PredictionFilter(since, until, model_id, label), limit=limit, cursor=cursor
        )

    async def get_report(self, model_id: int) -> CompileReport:
        return await self._services.compilation.report(model_id)

    async def get_status(self) -> Status:
        """Return the status of the database and of the servers on it; this process has no model loaded."""
        await self._services.reconciler.read_desired()
        return await self._services.status_reporter.status()


@asynccontextmanager
async def open_direct(settings: Settings, actor: str, *, read_only: bool = False) -> AsyncIterator[DirectBackend]:
    """Open a backend on the database and the files of `settings`; with `read_only` nothing is written.

    Raises what `open_services` raises.
    """
    async with open_services(settings, actor, read_only=read_only) as services:
        yield DirectBackend(services, actor)
