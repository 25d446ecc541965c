"""The tables: `ml_models` as documented, and Understudy's own tables."""

from understudy.models.access.access_key import AccessKey
from understudy.models.access.access_revision import AccessRevision
from understudy.models.access.browser_session import BrowserSession
from understudy.models.access.principal import Principal, PrincipalKind
from understudy.models.base import Base, utc_now
from understudy.models.deployment.deployment import FLOAT32, Deployment
from understudy.models.deployment.operation import OperationRow
from understudy.models.deployment.policies import ActivationRequestRow, PoliciesRow, RequestState
from understudy.models.deployment.replica import Replica
from understudy.models.examples import ExamplesRow, ProofRow
from understudy.models.file_record import CompileState, FileRecord
from understudy.models.history import History, HistoryEvent, HistoryHead
from understudy.models.logged_prediction import LoggedPrediction
from understudy.models.ml_model import MlModel
from understudy.models.model_count import ModelCount
from understudy.models.origins import CreatedTable, ImportedRow

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
