"""The calls of the REST API: method, path, parameters, body and the type of the answer. Nothing here sends them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Generic, TypeVar

from pydantic import BaseModel

from understudy.registry.files.examples_csv import read_folder
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

# A recording as a file on disk, as the bytes of a file, or as an open binary file that can be read from its start.
Recording = Path | bytes | IO[bytes]

_FIELD = "audio_file"


@dataclass(frozen=True)
class Call(Generic[Answer]):
    """One request. `template` is the path below /api/v1/ as the OpenAPI document writes it; `path` has it filled in."""

    answer: type[Answer]
    method: str
    template: str
    values: Mapping[str, object] = field(default_factory=dict)
    params: Mapping[str, object] = field(default_factory=dict)
    json: Mapping[str, object] | None = None
    recordings: Sequence[tuple[str, Recording]] = ()
    content: Path | None = None

    @property
    def path(self) -> str:
        return self.template.format(**self.values)

    @property
    def query(self) -> dict[str, str]:
        """The parameters that were given, as the query string spells them."""
        given = {name: value for name, value in self.params.items() if value is not None}
        return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}


@contextmanager
def open_recordings(call: "Call[Answer]") -> Iterator[list[tuple[str, tuple[str, IO[bytes] | bytes]]] | None]:
    """Yield the parts of the call's multipart body, or None without one; files are open while the block runs."""
    if not call.recordings:
        yield None
        return
    with ExitStack() as stack:
        yield [
            (_FIELD, (name, stack.enter_context(each.open("rb")) if isinstance(each, Path) else each))
            for name, each in call.recordings
        ]


def list_models(query: ModelQuery) -> Call[ModelList]:
    return Call(ModelList, "GET", "models", params=query.model_dump(mode="json", exclude_none=True))


def get_model(model_id: int) -> Call[ModelDetail]:
    return Call(ModelDetail, "GET", "models/{model_id}", {"model_id": model_id})


def list_model_types() -> Call[ModelTypes]:
    return Call(ModelTypes, "GET", "models/types")


def get_active_model() -> Call[ModelDetail]:
    return Call(ModelDetail, "GET", "models/active")


def register_model(request: ModelCreate) -> Call[ModelDetail]:
    return Call(ModelDetail, "POST", "models", json=request.model_dump(mode="json", exclude_none=True))


def update_model(model_id: int, changes: ModelUpdate) -> Call[ModelDetail]:
    body = changes.model_dump(mode="json", exclude_unset=True)
    return Call(ModelDetail, "PATCH", "models/{model_id}", {"model_id": model_id}, json=body)


def delete_model(model_id: int) -> Call[ModelDeleted]:
    return Call(ModelDeleted, "DELETE", "models/{model_id}", {"model_id": model_id})


def get_model_examples(model_id: int) -> Call[ModelExamples]:
    return Call(ModelExamples, "GET", "models/{model_id}/examples", {"model_id": model_id})


def set_model_examples(model_id: int, file: Path) -> Call[ModelExamples]:
    """Build the call that sends an examples.csv with its clips. Raises ExamplesInvalid."""
    clips = [(each.expected.file, each.path) for each in read_folder(file)]
    parts: list[tuple[str, Recording]] = [(file.name, file), *clips]
    return Call(ModelExamples, "PUT", "models/{model_id}/examples", {"model_id": model_id}, recordings=parts)


def remove_model_examples(model_id: int) -> Call[ModelExamples]:
    return Call(ModelExamples, "DELETE", "models/{model_id}/examples", {"model_id": model_id})


def get_model_signature(model_id: int) -> Call[ModelSignature]:
    return Call(ModelSignature, "GET", "models/{model_id}/signature", {"model_id": model_id})


def set_model_signature(model_id: int, file: Path) -> Call[ModelSignature]:
    bundle = json.loads(file.read_bytes())
    return Call(ModelSignature, "PUT", "models/{model_id}/signature", {"model_id": model_id}, json=bundle)


def list_unregistered_files() -> Call[UnregisteredFiles]:
    return Call(UnregisteredFiles, "GET", "models/files")


def upload_model_file(file: Path, filename: str | None) -> Call[UploadedFile]:
    params = {"filename": filename or file.name}
    return Call(UploadedFile, "POST", "models/upload", params=params, content=file)


def activate_model(
    model_id: int,
    precision: Precision,
    wait: bool,
    *,
    tensors_only: bool,
    reason: str | None,
    rollout: RolloutOptions | None = None,
    override_freeze: bool = False,
) -> Call[Operation]:
    given = {"precision": precision.value, "tensors_only": tensors_only}
    params = {**given, **_build_reason(reason, override_freeze), **_build_wait(wait, rollout)}
    return Call(Operation, "POST", "models/{model_id}/activate", {"model_id": model_id}, params=params)


def compile_model(model_id: int) -> Call[ModelDetail]:
    return Call(ModelDetail, "POST", "models/{model_id}/compile", {"model_id": model_id})


def roll_back(
    wait: bool, reason: str | None, rollout: RolloutOptions | None = None, *, override_freeze: bool = False
) -> Call[Operation]:
    params = {**_build_reason(reason, override_freeze), **_build_wait(wait, rollout)}
    return Call(Operation, "POST", "models/rollback", params=params)


def get_policies() -> Call[PolicyStatus]:
    return Call(PolicyStatus, "GET", "policies")


def update_policies(changes: PoliciesUpdate) -> Call[Policies]:
    return Call(Policies, "PATCH", "policies", json=changes.model_dump(mode="json", exclude_unset=True))


def approve_activation(
    request_id: int, wait: bool, reason: str | None = None, *, override_freeze: bool = False
) -> Call[Operation]:
    params = {"wait": wait, **_build_reason(reason, override_freeze)}
    return Call(Operation, "POST", "policies/requests/{request_id}/approve", {"request_id": request_id}, params=params)


def decline_activation(request_id: int, reason: str | None) -> Call[ActivationRequest]:
    return Call(
        ActivationRequest,
        "POST",
        "policies/requests/{request_id}/decline",
        {"request_id": request_id},
        params={"reason": reason},
    )


def confirm_model(generation: int | None) -> Call[PolicyStatus]:
    return Call(PolicyStatus, "POST", "policies/confirm", params={"generation": generation})


def _build_reason(reason: str | None, override_freeze: bool) -> dict[str, object]:
    return {"reason": reason, "override_freeze": override_freeze or None}


def _build_wait(wait: bool, rollout: RolloutOptions | None) -> dict[str, object]:
    if rollout is None:
        return {"wait": wait, "timeout": None, "fail_fleet": None}
    return {"wait": "all", "timeout": rollout.timeout_seconds, "fail_fleet": rollout.fail_fleet}


def get_rollback_target() -> Call[RollbackTarget]:
    return Call(RollbackTarget, "GET", "models/rollback")


def get_operation(operation_id: str) -> Call[Operation]:
    return Call(Operation, "GET", "operations/{operation_id}", {"operation_id": operation_id})


def get_history(
    model_id: int | None, event: str | None, at: datetime | None, limit: int | None, cursor: str | None
) -> Call[HistoryPage]:
    params = {
        "model_id": model_id,
        "event": event,
        "at": None if at is None else at.isoformat(),
        "limit": limit,
        "cursor": cursor,
    }
    return Call(HistoryPage, "GET", "history", params=params)


def list_predictions(
    since: datetime | None,
    until: datetime | None,
    model_id: int | None,
    label: str | None,
    limit: int | None,
    cursor: str | None,
) -> Call[LoggedPredictionPage]:
    times = {"since": since and since.isoformat(), "until": until and until.isoformat()}
    params = {**times, "model_id": model_id, "label": label, "limit": limit, "cursor": cursor}
    return Call(LoggedPredictionPage, "GET", "predictions", params=params)


def get_model_history(model_id: int, limit: int | None, cursor: str | None) -> Call[HistoryPage]:
    params = {"limit": limit, "cursor": cursor}
    return Call(HistoryPage, "GET", "models/{model_id}/history", {"model_id": model_id}, params=params)


def get_model_report(model_id: int) -> Call[CompileReport]:
    return Call(CompileReport, "GET", "models/{model_id}/report", {"model_id": model_id})


def get_status() -> Call[Status]:
    return Call(Status, "GET", "status")


def list_replicas() -> Call[ReplicaList]:
    return Call(ReplicaList, "GET", "replicas")


def get_health(require_model: bool) -> Call[Readiness]:
    return Call(Readiness, "GET", "health", params={"model": "required" if require_model else None})


def get_recent_statistics(minutes: float | None, *, buckets: bool) -> Call[TrafficSummary]:
    return Call(TrafficSummary, "GET", "metrics/summary", params={"minutes": minutes, "buckets": buckets})


def list_demo_clips() -> Call[DemoClips]:
    return Call(DemoClips, "GET", "demo-clips")


def predict(recording: Recording, model_id: int | None, details: RecordingFields | None) -> Call[Prediction]:
    params = _join_params(model_id, details)
    return Call(Prediction, "POST", "predict", params=params, recordings=[(_name_of(recording), recording)])


def predict_batch(
    recordings: Sequence[tuple[str, Recording]], model_id: int | None, details: RecordingFields | None
) -> Call[BatchLine]:
    """Build the call for many recordings. Its answer is one BatchLine a line, in the order of completion."""
    params = _join_params(model_id, details)
    return Call(BatchLine, "POST", "predict/batch", params=params, recordings=recordings)


def _join_params(model_id: int | None, details: RecordingFields | None) -> dict[str, object]:
    return {"model_id": model_id, **(details or RecordingFields()).model_dump(mode="json")}


def name_recordings(recordings: Sequence[Recording]) -> list[tuple[str, Recording]]:
    return [(_name_of(recording), recording) for recording in recordings]


def _name_of(recording: Recording) -> str:
    return recording.name if isinstance(recording, Path) else "recording"
