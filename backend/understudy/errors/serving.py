"""Defines the errors of the live model: activations, predictions and the tasks behind them."""

from understudy.errors.base import Conflict, NotFound, Unavailable, UnderstudyError


class OperationNotFound(NotFound):
    code = "operation_not_found"
    title = "No such operation"
    default_remedy = "Start the activation again; the answer names a new operation."


class NothingToRollBack(Conflict):
    code = "nothing_to_roll_back"
    title = "There is no earlier model to go back to"
    default_remedy = "Activate a model by its id: `understudy activate MODEL_ID`."


class RolloutFailed(Conflict):
    """More servers than `fail_fleet` permits could not load the model that an activation had committed."""

    code = "rollout_failed"
    title = "Too many servers could not load the model"
    default_remedy = (
        "Read in `understudy status` what each server serves and why its load failed. Mend that, then activate the "
        "model again."
    )


class Overloaded(Unavailable):
    code = "overloaded"
    title = "Too much work is waiting"
    default_remedy = "Send the request again after the seconds that Retry-After says."

    def __init__(self, detail: str, *, remedy: str | None = None, retry_after: int = 1) -> None:
        super().__init__(detail, remedy=remedy)
        self.retry_after = retry_after


class ServerStopping(Unavailable):
    code = "server_stopping"
    title = "The server stops"
    default_remedy = "Send the request again when the server runs."


class ModelSetAside(Unavailable):
    code = "model_set_aside"
    title = "The model ended its worker processes"
    default_remedy = "Activate another model, or roll back: `understudy rollback`. Then correct the model."


class NoActiveModel(Unavailable):
    code = "no_active_model"
    title = "No model is live"
    default_remedy = "Activate a model: `understudy activate MODEL_ID`, or POST /api/v1/models/{model_id}/activate."


class ModelNotLoaded(Unavailable):
    code = "model_not_loaded"
    title = "The model that should be live is not loaded"
    default_remedy = (
        "Wait until it is loaded. If it stays so, `understudy status` or GET /api/v1/status names the reason."
    )


class BackgroundTaskDown(Unavailable):
    code = "background_task_down"
    title = "A background task of the server is down"
    default_remedy = (
        "It is started again by itself. If it stays down, restart the server and report the line of its log."
    )


class RegistryOutdated(Unavailable):
    """The refusal of the readiness probe; predictions go on with the model in memory."""

    code = "registry_outdated"
    title = "The registry was not read for too long"
    default_remedy = (
        "Check that this server reaches the database: `understudy status` names the reason. "
        "UNDERSTUDY_MAX_REGISTRY_AGE_SECONDS says how long it may be."
    )


class WorkerDied(UnderstudyError):
    """Only the request that the worker process was computing fails; it is not tried again."""

    code = "worker_died"
    title = "The worker process ended while it computed this answer"
    default_remedy = (
        "Send another recording. Where it happens again with this one, the model or the recording ends the process: "
        "see the server's log, and activate another model."
    )
