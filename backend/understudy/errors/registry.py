"""Defines the errors of the registry: models, names, examples and backups."""

from understudy.errors.base import Conflict, NotFound, Refused


class ModelNotFound(NotFound):
    code = "model_not_found"
    title = "No such model"
    default_remedy = "List the registered models with GET /api/v1/models or `understudy list`."


class ActiveModelNotFound(NotFound):
    """The registry's answer; a prediction without an active model raises NoActiveModel."""

    code = "active_model_not_found"
    title = "No registered model is active"
    default_remedy = "Activate a model: `understudy activate MODEL_ID`, or POST /api/v1/models/{model_id}/activate."


class ReportNotFound(NotFound):
    code = "report_not_found"
    title = "Not compiled yet"
    default_remedy = "Compile the model with `understudy compile MODEL_ID`, or activate it, then ask again."


class NameTaken(Conflict):
    code = "name_taken"
    title = "The name is taken"
    default_remedy = "Choose another name, or update the model that has this name."


class FileExists(Conflict):
    code = "file_exists"
    title = "A file with this name already exists"
    default_remedy = "Choose another file name."


class ModelIsActive(Conflict):
    code = "model_is_active"
    title = "The model is live"
    default_remedy = "Activate another model first."


class RowRefused(Conflict):
    """A constraint, a trigger or the type of a column refused the row. Nothing was stored."""

    code = "row_refused"
    title = "The database refused the row"
    default_remedy = "Send values that the table accepts; `understudy doctor` lists how it differs from the document."


class NameRefused(Refused):
    code = "name_refused"
    title = "The name or version is not allowed"
    default_remedy = "Choose a name of ordinary characters, such as siren/v2."


class PathRefused(Refused):
    code = "path_refused"
    title = "The path is not allowed"
    default_remedy = "Give a path relative to the backend folder, such as models/my_model.keras."


class ExamplesInvalid(Refused):
    code = "examples_invalid"
    title = "The examples cannot be used"
    default_remedy = "Correct the examples file; docs/examples.md describes it."


class BackupInvalid(Refused):
    code = "backup_invalid"
    title = "The backup cannot be used"
    default_remedy = "Use another backup. This one is damaged, incomplete or no backup of Understudy."
