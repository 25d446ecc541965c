"""The tables: `ml_models` as documented, and Understudy's own beside it."""

from app.models.base import Base, utc_now
from app.models.file_record import CompileState, FileRecord
from app.models.history import History, HistoryEvent
from app.models.ml_model import MlModel
from app.models.model_count import ModelCount
from app.models.operation import OperationRow
from app.models.replica import Replica
from app.models.stage import FLOAT32, Stage

__all__ = [
    "FLOAT32",
    "Base",
    "CompileState",
    "FileRecord",
    "History",
    "HistoryEvent",
    "MlModel",
    "ModelCount",
    "OperationRow",
    "Replica",
    "Stage",
    "utc_now",
]
