"""The tables: `ml_models` as documented, and Understudy's own tables."""

from understudy.models.base import Base, utc_now
from understudy.models.deployment import FLOAT32, Deployment
from understudy.models.examples import ExamplesRow, ProofRow
from understudy.models.file_record import CompileState, FileRecord
from understudy.models.history import History, HistoryEvent
from understudy.models.ml_model import MlModel
from understudy.models.model_count import ModelCount
from understudy.models.operation import OperationRow
from understudy.models.origins import CreatedTable, ImportedRow
from understudy.models.replica import Replica

__all__ = [
    "FLOAT32",
    "Base",
    "CompileState",
    "CreatedTable",
    "Deployment",
    "ExamplesRow",
    "FileRecord",
    "History",
    "HistoryEvent",
    "ImportedRow",
    "MlModel",
    "ModelCount",
    "OperationRow",
    "ProofRow",
    "Replica",
    "utc_now",
]
