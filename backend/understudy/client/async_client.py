"""The asynchronous client."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import httpx
from anyio import open_file
from pydantic import BaseModel

from understudy.client import calls
from understudy.client.answers import (
    TIMEOUT,
    build_headers,
    parse_answer,
    parse_base_url,
    parse_document,
    raise_problem,
    translate_transport_errors,
    uses_environment_proxy,
)
from understudy.client.calls import Call, Recording, open_recordings
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.inference.batch import BatchLine
from understudy.schemas.inference.prediction import Prediction
from understudy.schemas.inference.recording import RecordingFields
from understudy.schemas.registry.deletion import ModelDeleted
from understudy.schemas.registry.examples import ModelExamples
from understudy.schemas.registry.logged_prediction import LoggedPredictionPage
from understudy.schemas.registry.model import HistoryPage, ModelCreate, ModelList, ModelTypes, ModelUpdate
from understudy.schemas.registry.model_detail import ModelDetail
from understudy.schemas.registry.model_file import UnregisteredFiles, UploadedFile
from understudy.schemas.registry.model_query import ModelQuery
from understudy.schemas.registry.signature import ModelSignature
from understudy.schemas.server.demo import DemoClips
from understudy.schemas.server.health import Readiness
from understudy.schemas.server.operation import Operation, RollbackTarget
from understudy.schemas.server.policies import ActivationRequest, Policies, PoliciesUpdate, PolicyStatus
from understudy.schemas.server.recent_statistics import TrafficSummary
from understudy.schemas.server.rollout import RolloutOptions
from understudy.schemas.server.status import ReplicaList, Status

Answer = TypeVar("Answer", bound=BaseModel)

_CHUNK_BYTES = 1 << 20


class AsyncClient:
    """Calls the REST API from an event loop.

    `url` is the server's address, such as `http://127.0.0.1:8000`, with the path that it is mounted under, if any.
    `http` replaces the connection, for instance to send headers of your own or to ask an ASGI application directly.
    Every method raises the errors of `understudy.errors` that the server answers with, and Unavailable without answer.
    """

    def __init__(
        self, url: str = "http://127.0.0.1:8000", *, key: str | None = None, http: httpx.AsyncClient | None = None
    ) -> None:
        """Raises RequestInvalid when `url` is not an http address."""
        self._base_url = parse_base_url(url)
        self._http = http or httpx.AsyncClient(
            timeout=TIMEOUT, trust_env=uses_environment_proxy(self._base_url), headers=build_headers(key)
        )

    async def list_models(self, query: ModelQuery | None = None) -> ModelList:
        """Return one page of the models that `query` asks for, with the active model."""
        return await self._send(calls.list_models(query or ModelQuery()))

    async def get_model(self, model_id: int) -> ModelDetail:
        return await self._send(calls.get_model(model_id))

    async def list_model_types(self) -> ModelTypes:
        """Return the words that `type` of `list_models` filters by."""
        return await self._send(calls.list_model_types())

    async def get_active_model(self) -> ModelDetail:
        return await self._send(calls.get_active_model())

    async def register_model(self, request: ModelCreate) -> ModelDetail:
        """Register a model whose file is on the server already."""
        return await self._send(calls.register_model(request))

    async def update_model(self, model_id: int, changes: ModelUpdate) -> ModelDetail:
        """Change the fields that `changes` sets; None clears an optional one."""
        return await self._send(calls.update_model(model_id, changes))

    async def delete_model(self, model_id: int) -> ModelDeleted:
        """Delete the record; the file stays."""
        return await self._send(calls.delete_model(model_id))

    async def get_model_examples(self, model_id: int) -> ModelExamples:
        """Return the model's examples and the latest run of them, clip by clip."""
        return await self._send(calls.get_model_examples(model_id))

    async def set_model_examples(self, model_id: int, file: Path) -> ModelExamples:
        """Replace the model's examples by those of an examples.csv, whose clips lie beside it on this machine."""
        return await self._send(calls.set_model_examples(model_id, file))

    async def remove_model_examples(self, model_id: int) -> ModelExamples:
        return await self._send(calls.remove_model_examples(model_id))

    async def get_model_signature(self, model_id: int) -> ModelSignature:
        """Return who signed the model, or why no signature counts."""
        return await self._send(calls.get_model_signature(model_id))

    async def set_model_signature(self, model_id: int, file: Path) -> ModelSignature:
        """Store a signature that was made elsewhere. Raises SignatureInvalid."""
        return await self._send(calls.set_model_signature(model_id, file))

    async def list_unregistered_files(self) -> UnregisteredFiles:
        return await self._send(calls.list_unregistered_files())

    async def upload_model_file(self, file: Path, filename: str | None = None) -> UploadedFile:
        """Send a model file into the server's `models/` folder, under its own name or `filename`."""
        return await self._send(calls.upload_model_file(file, filename))

    async def activate_model(
        self,
        model_id: int,
        *,
        precision: Precision = Precision.FLOAT32,
        tensors_only: bool = False,
        reason: str | None = None,
        wait: bool = True,
        rollout: RolloutOptions | None = None,
        override_freeze: bool = False,
    ) -> Operation:
        """Make a model live. With `wait` False the answer is an operation on its way: ask `get_operation`.
        `reason` stands in the history.

        With `rollout` the answer comes when every live server serves the model, or at the end of that wait; its
        `rollout` names those that do not. Raises RolloutFailed where too many servers could not load the model.
        `override_freeze` activates in a freeze too, for `reason`; admins only. Raises Frozen, and ApprovalNeeded where
        a second person has to approve it.
        Raises TakesTensors for a model that cannot score recordings, unless `tensors_only` permits it.
        """
        return await self._send(
            calls.activate_model(
                model_id,
                precision,
                wait,
                tensors_only=tensors_only,
                reason=reason,
                rollout=rollout,
                override_freeze=override_freeze,
            )
        )

    async def compile_model(self, model_id: int) -> ModelDetail:
        """Forget that the model was refused, and compile it in the background."""
        return await self._send(calls.compile_model(model_id))

    async def roll_back(
        self,
        *,
        reason: str | None = None,
        wait: bool = True,
        rollout: RolloutOptions | None = None,
        override_freeze: bool = False,
    ) -> Operation:
        """Make the model live again that was live before the present one; `rollout` as for `activate_model`.

        `reason` stands in the history.
        """
        return await self._send(calls.roll_back(wait, reason, rollout, override_freeze=override_freeze))

    async def get_rollback_target(self) -> RollbackTarget:
        """Return the model that a rollback would make live; raises NothingToRollBack."""
        return await self._send(calls.get_rollback_target())

    async def get_policies(self) -> PolicyStatus:
        """Return the policies of activations, the freeze that holds, the model to confirm, and pending requests."""
        return await self._send(calls.get_policies())

    async def update_policies(self, changes: PoliciesUpdate) -> Policies:
        """Change the policies that `changes` sets; admins only. Raises PolicyRefused."""
        return await self._send(calls.update_policies(changes))

    async def approve_activation(
        self, request_id: int, *, wait: bool = True, reason: str | None = None, override_freeze: bool = False
    ) -> Operation:
        """Give the second person's word on an activation. Raises ApprovalRefused, RequestClosed and RequestStale."""
        return await self._send(calls.approve_activation(request_id, wait, reason, override_freeze=override_freeze))

    async def decline_activation(self, request_id: int, *, reason: str | None = None) -> ActivationRequest:
        """Decline an activation, or withdraw it. Raises RequestClosed."""
        return await self._send(calls.decline_activation(request_id, reason))

    async def confirm_model(self, *, generation: int | None = None) -> PolicyStatus:
        """Keep the live model, where this generation is live. Raises NothingToConfirm."""
        return await self._send(calls.confirm_model(generation))

    async def get_operation(self, operation_id: str) -> Operation:
        return await self._send(calls.get_operation(operation_id))

    async def get_history(
        self,
        *,
        model_id: int | None = None,
        event: str | None = None,
        at: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> HistoryPage:
        """Return one page of the history, newest first; with `at`, of that moment, and what was live then."""
        return await self._send(calls.get_history(model_id, event, at, limit, cursor))

    async def list_predictions(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        model_id: int | None = None,
        label: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> LoggedPredictionPage:
        """Return one page of the log of predictions, newest first."""
        return await self._send(calls.list_predictions(since, until, model_id, label, limit, cursor))

    async def get_model_history(
        self, model_id: int, *, limit: int | None = None, cursor: str | None = None
    ) -> HistoryPage:
        return await self._send(calls.get_model_history(model_id, limit, cursor))

    async def get_model_report(self, model_id: int) -> CompileReport:
        return await self._send(calls.get_model_report(model_id))

    async def get_status(self) -> Status:
        return await self._send(calls.get_status())

    async def list_replicas(self) -> ReplicaList:
        """Return what each server on the same database serves."""
        return await self._send(calls.list_replicas())

    async def get_health(self, *, require_model: bool = False) -> Readiness:
        """Return that the server is ready. Raises ModelNotLoaded, and NoActiveModel with `require_model`."""
        return await self._send(calls.get_health(require_model))

    async def get_recent_statistics(self, minutes: float | None = None, *, buckets: bool = True) -> TrafficSummary:
        return await self._send(calls.get_recent_statistics(minutes, buckets=buckets))

    async def list_demo_clips(self) -> DemoClips:
        return await self._send(calls.list_demo_clips())

    async def predict(
        self, recording: Recording, *, model_id: int | None = None, details: RecordingFields | None = None
    ) -> Prediction:
        """Score a recording with the live model, or with `model_id`.

        `details` name its source and time, which come back, the format of raw samples, and whether damage is refused.
        """
        return await self._send(calls.predict(recording, model_id, details))

    async def predict_batch(
        self, recordings: Sequence[Recording], *, model_id: int | None = None, details: RecordingFields | None = None
    ) -> AsyncIterator[BatchLine]:
        """Score many recordings with one model; each line is yielded as soon as it arrives, not in their order.

        `details` are those of all recordings.
        """
        call = calls.predict_batch(calls.name_recordings(recordings), model_id, details)
        with translate_transport_errors(self._base_url), open_recordings(call) as files:
            async with self._http.stream(
                call.method, self._base_url.join(call.path), params=call.query, files=files
            ) as answer:
                if not answer.is_success:
                    await answer.aread()
                raise_problem(answer)
                async for line in answer.aiter_lines():
                    yield parse_document(call.answer, answer, line)

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _send(self, call: Call[Answer]) -> Answer:
        address = self._base_url.join(call.path)
        with translate_transport_errors(self._base_url), open_recordings(call) as files:
            if call.content is not None:
                body = _read_chunks(call.content)
                answer = await self._http.request(call.method, address, params=call.query, content=body)
            else:
                answer = await self._http.request(call.method, address, params=call.query, json=call.json, files=files)
        return parse_answer(call.answer, answer)


async def _read_chunks(file: Path) -> AsyncIterator[bytes]:
    async with await open_file(file, "rb") as body:
        while chunk := await body.read(_CHUNK_BYTES):
            yield chunk
