"""The operations that commands need, with or without a server between them and the database."""

from datetime import datetime
from pathlib import Path
from typing import Protocol

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


class Backend(Protocol):
    """Every method raises the same error classes as the API route that does the same."""

    async def register(self, request: ModelCreate) -> ModelDetail: ...

    async def list(self, query: ModelQuery) -> ModelList: ...

    async def get(self, model_id: int) -> ModelDetail: ...

    async def get_active(self) -> ModelDetail:
        """Return the active model. Raises ActiveModelNotFound when there is none."""
        ...

    async def update(self, model_id: int, changes: ModelUpdate) -> ModelDetail: ...

    async def delete(self, model_id: int) -> ModelDeleted: ...

    async def get_examples(self, model_id: int) -> ModelExamples: ...

    async def set_examples(self, model_id: int, file: Path) -> ModelExamples:
        """Replace the examples by those of an examples.csv, whose clips lie beside it."""
        ...

    async def remove_examples(self, model_id: int) -> ModelExamples: ...

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
        """Start an activation and return at once; `get_operation` reports its progress.

        With `rollout` it returns when every live server serves the model, or at the end of that wait.
        """
        ...

    async def roll_back(
        self, reason: str | None = None, rollout: RolloutOptions | None = None, *, override_freeze: bool = False
    ) -> Operation:
        """Start the activation of the model that was live before, and return as `activate` does."""
        ...

    async def get_signature(self, model_id: int) -> ModelSignature: ...

    async def get_policies(self) -> PolicyStatus: ...

    async def update_policies(self, changes: PoliciesUpdate) -> Policies: ...

    async def approve(self, request_id: int, *, reason: str | None = None, override_freeze: bool = False) -> Operation:
        """Approve an activation request, start it and return at once, as `activate` does."""
        ...

    async def decline(self, request_id: int, reason: str | None = None) -> ActivationRequest: ...

    async def confirm(self, generation: int | None = None) -> PolicyStatus: ...

    async def get_operation(self, operation_id: str) -> Operation: ...

    async def predict(self, clip: Path, model_id: int | None, *, strict: bool | None = None) -> Prediction:
        """Predict one recording with model `model_id`, or with the active model when it is None.

        `strict` refuses a damaged recording; None means as the setting says.
        """
        ...

    async def list_history(
        self, *, model_id: int | None, event: str | None, at: datetime | None, limit: int, cursor: str | None
    ) -> HistoryPage: ...

    async def list_predictions(
        self,
        *,
        since: datetime | None,
        until: datetime | None,
        model_id: int | None,
        label: str | None,
        limit: int,
        cursor: str | None,
    ) -> LoggedPredictionPage: ...

    async def get_report(self, model_id: int) -> CompileReport: ...

    async def get_status(self) -> Status: ...
