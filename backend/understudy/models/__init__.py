"""The tables: `ml_models` as documented, and Understudy's own tables."""

from understudy.models.access_key import AccessKey
from understudy.models.access_revision import AccessRevision
from understudy.models.base import Base, utc_now
from understudy.models.browser_session import BrowserSession
from understudy.models.deployment import FLOAT32, Deployment
from understudy.models.examples import ExamplesRow, ProofRow
from understudy.models.file_record import CompileState, FileRecord
from understudy.models.history import History, HistoryEvent, HistoryHead
from understudy.models.logged_prediction import LoggedPrediction
from understudy.models.ml_model import MlModel
from understudy.models.model_count import ModelCount
from understudy.models.operation import OperationRow
from understudy.models.origins import CreatedTable, ImportedRow
from understudy.models.policies import ActivationRequestRow, PoliciesRow, RequestState
from understudy.models.principal import Principal, PrincipalKind
from understudy.models.replica import Replica

__all__ = [
    "FLOAT32",
    "AccessKey",
    "AccessRevision",
    "ActivationRequestRow",
    "Base",
    "BrowserSession",
    "CompileState",
    "CreatedTable",
    "Deployment",
    "ExamplesRow",
    "FileRecord",
    "History",
    "HistoryEvent",
    "HistoryHead",
    "ImportedRow",
    "LoggedPrediction",
    "MlModel",
    "ModelCount",
    "OperationRow",
    "PoliciesRow",
    "Principal",
    "PrincipalKind",
    "ProofRow",
    "Replica",
    "RequestState",
    "utc_now",
]
