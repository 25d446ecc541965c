"""Every error a user can meet.

UnderstudyError                  500 internal_error
├── Forbidden                    403
│   ├── ForeignHost              403 foreign_host
│   └── ForeignOrigin            403 foreign_origin
├── NotFound                     404
│   ├── ModelNotFound            404 model_not_found
│   ├── OperationNotFound        404 operation_not_found
│   └── ReportNotFound           404 report_not_found
├── Conflict                     409
│   ├── NameTaken                409 name_taken
│   ├── FileExists               409 file_exists
│   ├── ModelIsActive            409 model_is_active
│   ├── FileChanged              409 file_changed
│   └── NothingToRollBack        409 nothing_to_roll_back
├── TooLarge                     413
│   ├── BodyTooLarge             413 body_too_large
│   └── AudioTooLong             413 audio_too_long
├── NotAudio                     415 not_audio
├── Refused                      422
│   ├── RequestInvalid           422 request_invalid
│   ├── PathRefused              422 path_refused
│   ├── FileMissing              422 file_missing
│   ├── SpecInvalid              422 spec_invalid
│   ├── AudioUnusable            422 audio_unusable
│   ├── TrainingDataInvalid      422 training_data_invalid
│   └── CannotServe              422 cannot_serve
│       ├── FormatUnknown        422 format_unknown
│       ├── ModelUnsafe          422 model_unsafe
│       ├── CompileFailed        422 compile_failed
│       ├── ParityFailed         422 parity_failed
│       ├── WarmUpFailed         422 warm_up_failed
│       └── NotForAudio          422 not_for_audio
├── Unavailable                  503
│   ├── NoActiveModel            503 no_active_model
│   ├── ModelNotLoaded           503 model_not_loaded
│   ├── BackboneMissing          503 backbone_missing
│   ├── DownloadFailed           503 download_failed
│   ├── CompilerMissing          503 compiler_missing
│   ├── StorageUnavailable       503 storage_unavailable
│   └── DatabaseUnavailable      503 database_unavailable
└── Misconfigured                500 misconfigured
    └── UnsafeBinding            500 unsafe_binding

The API turns each into one RFC 9457 problem document; the CLI prints `detail` and `remedy`.
"""

from typing import ClassVar


class UnderstudyError(Exception):
    """Base of the tree.

    `detail` says what happened to this request; `remedy` what the reader can do about it.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"
    default_remedy: ClassVar[str] = "Look for this request's line in the server's log and report it."

    def __init__(self, detail: str, *, remedy: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.remedy = remedy or self.default_remedy

    def problem(self) -> dict[str, object]:
        """The RFC 9457 document of this error, as plain JSON values."""
        return {
            "type": f"urn:understudy:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "remedy": self.remedy,
        }


class Forbidden(UnderstudyError):
    status = 403
    code = "forbidden"
    title = "Not allowed"
    default_remedy = "Use this server from its own page or from the command line."


class ForeignHost(Forbidden):
    code = "foreign_host"
    title = "The request is addressed to another host"
    default_remedy = "Use the server's IP address or localhost, or add the name to UNDERSTUDY_ALLOWED_HOSTS."


class ForeignOrigin(Forbidden):
    code = "foreign_origin"
    title = "The request comes from another site's page"


class NotFound(UnderstudyError):
    status = 404
    code = "not_found"
    title = "Not found"
    default_remedy = "Check the address against the API's documentation at /docs."


class ModelNotFound(NotFound):
    code = "model_not_found"
    title = "No such model"
    default_remedy = "List the registered models with GET /api/v1/models or `understudy list`."


class OperationNotFound(NotFound):
    code = "operation_not_found"
    title = "No such operation"
    default_remedy = "Start the activation again; it answers with a fresh operation."


class ReportNotFound(NotFound):
    code = "report_not_found"
    title = "Not compiled yet"
    default_remedy = "Compile the model with `understudy compile MODEL_ID` or activate it, then ask again."


class Conflict(UnderstudyError):
    status = 409
    code = "conflict"
    title = "Conflict with the present state"
    default_remedy = "Read the present state and try again."


class NameTaken(Conflict):
    code = "name_taken"
    title = "The name is taken"
    default_remedy = "Choose another name, or update the model that has it."


class FileExists(Conflict):
    code = "file_exists"
    title = "A file of that name is there already"
    default_remedy = "Choose another name."


class ModelIsActive(Conflict):
    code = "model_is_active"
    title = "The model is live"
    default_remedy = "Activate another model first."


class FileChanged(Conflict):
    code = "file_changed"
    title = "The model file changed after registration"
    default_remedy = "Put the registered file back, or register the new file as a model of its own."


class NothingToRollBack(Conflict):
    code = "nothing_to_roll_back"
    title = "There is no earlier model to go back to"
    default_remedy = "Activate the model you want by its id."


class TooLarge(UnderstudyError):
    status = 413
    code = "too_large"
    title = "Too large"
    default_remedy = "Send less, or raise the limit in the server's settings."


class BodyTooLarge(TooLarge):
    code = "body_too_large"
    title = "The upload is too large"


class AudioTooLong(TooLarge):
    code = "audio_too_long"
    title = "The recording is too long"


class NotAudio(UnderstudyError):
    status = 415
    code = "not_audio"
    title = "Not an audio file"
    default_remedy = "Send wav, flac, ogg, opus, mp3, m4a, webm or aiff."


class Refused(UnderstudyError):
    status = 422
    code = "refused"
    title = "Refused"
    default_remedy = "Correct the request and send it again."


class RequestInvalid(Refused):
    code = "request_invalid"
    title = "The request is not valid"


class PathRefused(Refused):
    code = "path_refused"
    title = "The path is not allowed"
    default_remedy = "Give a path relative to the backend folder, such as models/my_model.keras."


class FileMissing(Refused):
    code = "file_missing"
    title = "The model file is missing"
    default_remedy = "Put the file there, then try again."


class SpecInvalid(Refused):
    code = "spec_invalid"
    title = "The spec does not fit the model"
    default_remedy = "Correct the spec file or the --labels and --spec options, and register again."


class AudioUnusable(Refused):
    code = "audio_unusable"
    title = "The audio cannot be used"
    default_remedy = "Record or export the clip again and send the new file."


class TrainingDataInvalid(Refused):
    code = "training_data_invalid"
    title = "The recordings cannot be trained on"
    default_remedy = "Arrange them as FOLDER/label/clip, at least two labels, in at least two folds."


class CannotServe(Refused):
    code = "cannot_serve"
    title = "The model cannot be served"
    default_remedy = "Read the compile report and export the model again."


class FormatUnknown(CannotServe):
    code = "format_unknown"
    title = "Not a model file"
    default_remedy = "Register a .keras, .h5, .tflite or .onnx file or a SavedModel folder."


class ModelUnsafe(CannotServe):
    code = "model_unsafe"
    title = "The model file would run code of its own"
    default_remedy = "Replace Lambda layers and custom classes by standard layers and save the model again."


class CompileFailed(CannotServe):
    code = "compile_failed"
    title = "The model could not be compiled"


class ParityFailed(CannotServe):
    code = "parity_failed"
    title = "The compiled model does not compute what the original does"
    default_remedy = "Export the model to ONNX with its own framework and register that file."


class WarmUpFailed(CannotServe):
    code = "warm_up_failed"
    title = "The model failed its warm-up"
    default_remedy = "Remove its compiled form with `understudy doctor --fix`, compile it again and read the report."


class NotForAudio(CannotServe):
    code = "not_for_audio"
    title = "The model does not take audio"
    default_remedy = "Give the model a spec whose `input` says how audio becomes its input."


class Unavailable(UnderstudyError):
    status = 503
    code = "unavailable"
    title = "Unavailable"
    default_remedy = "Try again shortly."


class NoActiveModel(Unavailable):
    code = "no_active_model"
    title = "No model is live"
    default_remedy = "Activate one: POST /api/v1/models/{model_id}/activate or `understudy activate MODEL_ID`."


class ModelNotLoaded(Unavailable):
    code = "model_not_loaded"
    title = "The model that should be live is not loaded"
    default_remedy = "Wait, or read the reason at GET /api/v1/status."


class BackboneMissing(Unavailable):
    code = "backbone_missing"
    title = "The YAMNet backbone is not installed"
    default_remedy = "Install it: `understudy backbone install`, or `--from` a file you already have."


class DownloadFailed(Unavailable):
    code = "download_failed"
    title = "The download failed"
    default_remedy = "Fetch yamnet.h5 on a machine with a network, then `understudy backbone install --from` that file."


class CompilerMissing(Unavailable):
    code = "compiler_missing"
    title = "The compiler's frameworks are not installed"
    default_remedy = "Install them: pip install 'understudy[compiler]', or share the compiled store of another node."


class StorageUnavailable(Unavailable):
    code = "storage_unavailable"
    title = "The disk cannot be used"
    default_remedy = "Free space, and let the user that runs Understudy write there; `understudy doctor` looks."


class DatabaseUnavailable(Unavailable):
    code = "database_unavailable"
    title = "The database does not answer"
    default_remedy = "Check DATABASE_URL and that the database is up; serving goes on with the model in memory."


class Misconfigured(UnderstudyError):
    code = "misconfigured"
    title = "The configuration is not usable"
    default_remedy = "Correct the setting that the message names; docs/settings.md lists all."


class UnsafeBinding(Misconfigured):
    code = "unsafe_binding"
    title = "The address is reachable by others"
    default_remedy = "Bind 127.0.0.1, or add --allow-unauthenticated if everyone who reaches it may control the models."
