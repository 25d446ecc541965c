"""A backend on a running server: the REST API through the typed client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from understudy.client import AsyncClient
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.inference.prediction import Prediction
from understudy.schemas.inference.recording import RecordingFields
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


class RemoteBackend:
    """Asks the server. Errors that it answers with are raised as the classes that they came from."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def register(self, request: ModelCreate) -> ModelDetail:
        return await self._client.register_model(request)

    async def list(self, query: ModelQuery) -> ModelList:
        return await self._client.list_models(query)

    async def get(self, model_id: int) -> ModelDetail:
        return await self._client.get_model(model_id)

    async def get_active(self) -> ModelDetail:
        return await self._client.get_active_model()

    async def update(self, model_id: int, changes: ModelUpdate) -> ModelDetail:
        return await self._client.update_model(model_id, changes)

    async def delete(self, model_id: int) -> ModelDeleted:
        return await self._client.delete_model(model_id)

    async def get_examples(self, model_id: int) -> ModelExamples:
        return await self._client.get_model_examples(model_id)

    async def set_examples(self, model_id: int, file: Path) -> ModelExamples:
        return await self._client.set_model_examples(model_id, file)

    async def remove_examples(self, model_id: int) -> ModelExamples:
        return await self._client.remove_model_examples(model_id)

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
        return await self._client.activate_model(
            model_id,
            precision=precision,
            tensors_only=tensors_only,
            reason=reason,
            wait=False,
            rollout=rollout,
            override_freeze=override_freeze,
        )

    async def roll_back(
        self, reason: str | None = None, rollout: RolloutOptions | None = None, *, override_freeze: bool = False
    ) -> Operation:
        return await self._client.roll_back(reason=reason, wait=False, rollout=rollout, override_freeze=override_freeze)

    async def get_signature(self, model_id: int) -> ModelSignature:
        return await self._client.get_model_signature(model_id)

    async def get_policies(self) -> PolicyStatus:
        return await self._client.get_policies()

    async def update_policies(self, changes: PoliciesUpdate) -> Policies:
        return await self._client.update_policies(changes)

    async def approve(self, request_id: int, *, reason: str | None = None, override_freeze: bool = False) -> Operation:
        return await self._client.approve_activation(
            request_id, wait=False, reason=reason, override_freeze=override_freeze
        )

    async def decline(self, request_id: int, reason: str | None = None) -> ActivationRequest:
        return await self._client.decline_activation(request_id, reason=reason)

    async def confirm(self, generation: int | None = None) -> PolicyStatus:
        return await self._client.confirm_model(generation=generation)

    async def get_operation(self, operation_id: str) -> Operation:
        return await self._client.get_operation(operation_id)

    async def predict(self, clip: Path, model_id: int | None, *, strict: bool | None = None) -> Prediction:
        details = None if strict is None else RecordingFields(strict=strict)
        return await self._client.predict(clip, model_id=model_id, details=details)

    async def list_history(
        self, *, model_id: int | None, event: str | None, at: datetime | None, limit: int, cursor: str | None
    ) -> HistoryPage:
        return await self._client.get_history(model_id=model_id, event=event, at=at, limit=limit, cursor=cursor)

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
        return await self._client.list_predictions(
            since=since, until=until, model_id=model_id, label=label, limit=limit, cursor=cursor
        )

    async def get_report(self, model_id: int) -> CompileReport:
        return await self._client.get_model_report(model_id)

    async def get_status(self) -> Status:
        return await self._client.get_status()


@asynccontextmanager
async def open_remote(url: str, key: str | None = None) -> AsyncIterator[RemoteBackend]:
    """Open a backend on the server at `url`, such as `http://127.0.0.1:8000`. Raises RequestInvalid for a bad one."""
    async with AsyncClient(url, key=key) as client:
        yield RemoteBackend(client)
