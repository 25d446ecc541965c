"""What the commands ask for, whoever answers: the database and files directly, or a server."""

from pathlib import Path
from typing import Protocol

from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.inference.prediction import Prediction
from understudy.schemas.registry.deletion import ModelDeleted
from understudy.schemas.registry.model import (
    HistoryPage,
    ModelCreate,
    ModelList,
    ModelOut,
    ModelUpdate,
)
from understudy.schemas.registry.model_query import ModelQuery
from understudy.schemas.server.operation import Operation
from understudy.schemas.server.status import Status


class Backend(Protocol):
    """Every method raises the errors of the API route of the same meaning, as the same classes."""

    async def register(self, request: ModelCreate) -> ModelOut: ...

    async def list(self, query: ModelQuery) -> ModelList: ...

    async def get(self, model_id: int) -> ModelOut: ...

    async def get_active(self) -> ModelOut: ...

    async def update(self, model_id: int, changes: ModelUpdate) -> ModelOut: ...

    async def delete(self, model_id: int) -> ModelDeleted: ...

    async def activate(self, model_id: int, precision: Precision = Precision.FLOAT32) -> Operation:
        """Start; `operation` tells how far it is."""
        ...

    async def roll_back(self) -> Operation:
        """Start; `operation` tells how far it is."""
        ...

    async def get_operation(self, operation_id: str) -> Operation: ...

    async def predict(self, clip: Path, model_id: int | None) -> Prediction: ...

    async def list_history(
        self, *, model_id: int | None, event: str | None, limit: int, cursor: str | None
    ) -> HistoryPage: ...

    async def get_report(self, model_id: int) -> CompileReport: ...

    async def get_status(self) -> Status: ...
